"""Values that a customer lacks: what becomes of them, and how an author is told.

A value is missing when printing it prints nothing. What then happens is the author's to say: `default` fills
it, `{% optional %}` drops what stands around it, and a message whose policy is `skip` is not sent at all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from liquid.token import Token
from liquid.undefined import Undefined


class Policy(TextChoices):
    PRINT_NOTHING = "empty", _("Print nothing in its place")
    SKIP_CUSTOMER = "skip", _("Send this customer no message")


_notes: ContextVar[dict[tuple[int, str], None] | None] = ContextVar("missing", default=None)


def note(token: Token | None, hint: str) -> None:
    """Remembers a missing value for the author, while somebody collects them."""
    found = _notes.get()
    if found is not None and token is not None:
        line = token.source.count("\n", 0, max(token.start_index, 0)) + 1
        found[line, hint] = None


@contextmanager
def collected() -> Iterator[dict[tuple[int, str], None]]:
    found: dict[tuple[int, str], None] = {}
    token = _notes.set(found)
    try:
        yield found
    finally:
        _notes.reset(token)


@contextmanager
def no_notes() -> Iterator[None]:
    """For a part that has an answer to missing values."""
    token = _notes.set(None)
    try:
        yield
    finally:
        _notes.reset(token)


class RecordingUndefined(Undefined):
    """Empty like any missing value, but noted when it is looped over."""

    __slots__ = ()

    def __iter__(self) -> Any:
        note(self.token, self.hint or f"{self.name!r} is undefined")
        return iter(())
