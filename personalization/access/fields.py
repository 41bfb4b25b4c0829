"""A column whose text is encrypted at rest (see `encryption`): for credentials, not for what is searched."""

from typing import Any

from django.db import models

from personalization.access.encryption import decrypt, encrypt


class EncryptedTextField(models.TextField):
    """Plain text in Python, a Fernet token in the database. It cannot be filtered by: each token is another.

    `purpose` (default: table and column) chooses the derived key; an empty text stays empty. Reading raises
    Undecipherable when the key is gone.
    """

    def __init__(self, *args: Any, purpose: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._purpose = purpose

    @property
    def purpose(self) -> str:
        return self._purpose or f"{self.model._meta.db_table}.{self.column}"

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        if self._purpose:
            kwargs["purpose"] = self._purpose
        return name, path, args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return encrypt(text, purpose=self.purpose) if text else text

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return decrypt(value, purpose=self.purpose) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise TypeError(f"{self.name} is encrypted and cannot be searched")
        return super().get_lookup(lookup_name)
