"""Bodies of the API take only fields they know: a misspelt one is told, and not left out in silence."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from rest_framework.serializers import Serializer, ValidationError

if TYPE_CHECKING:
    _Base = Serializer[Any]
else:
    _Base = object
# Sent by forms of our own pages.
_OF_THE_FORM = frozenset({"csrfmiddlewaretoken"})


class KnownFields(_Base):
    """Stands before Serializer or ModelSerializer, of the whole body and of each object in it.

    Fields that are only read are known too: what was got may be sent back. They change nothing.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError, which tells every unknown field beside what else is wrong."""
        unknown = self._unknown(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not unknown or not isinstance(error.detail, dict):
                raise
            raise ValidationError({**error.detail, **unknown}) from error
        if unknown:
            raise ValidationError(unknown)
        return value

    def _unknown(self, data: Mapping[Any, Any]) -> dict[str, list[str]]:
        names = [name for name, field in self.fields.items() if not field.read_only]
        return {
            str(name): [no_such_field(str(name), names)]
            for name in data
            if name not in self.fields and name not in _OF_THE_FORM
        }


def no_such_field(name: str, known: Sequence[str]) -> str:
    """Names what was probably meant, else all that there are."""
    if alike := get_close_matches(name, known, n=1):
        return _("There is no such field. Did you mean “%(name)s”?") % {"name": alike[0]}
    if known:
        return _("There is no such field. There are: %(names)s.") % {"names": ", ".join(known)}
    return _("There is no such field.")
