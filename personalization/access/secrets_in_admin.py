"""Encrypted columns in the admin: who may look at a row, but not change it, gets a page without them.

Django shows such a reader every field as plain text, whatever widget the form has.
"""

from typing import Any

from django.http import HttpRequest

from personalization.access.fields import EncryptedTextField


class HidesSecrets:
    """Mix in before ModelAdmin."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        shown = list(super().get_fields(request, obj))  # type: ignore[misc]
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)  # type: ignore[attr-defined]
        if may_change:
            return shown
        fields = self.model._meta.fields  # type: ignore[attr-defined]
        secret = {field.name for field in fields if isinstance(field, EncryptedTextField)}
        return [name for name in shown if name not in secret]
