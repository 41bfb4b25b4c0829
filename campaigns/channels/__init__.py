"""The ways to a customer. A channel is one module here with one class; see `_base.Channel`."""

import sys
from functools import cache

from campaigns.channels._base import (
    Channel,
    Field,
    Recipient,
    Sheet,
    Template,
)
from campaigns.channels._languages import (
    PARTS,
    in_language,
    language_for,
    nearest,
    templates_of,
    text_for,
    texts_in,
)
from personalization.registry import discover

__all__ = [
    "PARTS",
    "Channel",
    "Field",
    "Recipient",
    "Sheet",
    "Template",
    "get",
    "in_language",
    "language_for",
    "names",
    "nearest",
    "templates_of",
    "text_for",
    "texts_in",
]


@cache
def _all() -> dict[str, Channel]:
    return {name: cls() for name, cls in discover(sys.modules[__name__], Channel).items()}  # type: ignore[type-abstract]


def get(name: str) -> Channel:
    """Raises KeyError for a channel that does not exist."""
    return _all()[name]


def names() -> list[str]:
    return sorted(_all())
