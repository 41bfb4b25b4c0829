"""The kinds of entries. One is one module here with one class; see `_base.Entry`."""

import sys
from functools import cache

from campaigns.journeys.entries._base import Entrant, Entry
from personalization.registry import discover

__all__ = ["Entrant", "Entry", "get", "kinds"]


@cache
def _all() -> dict[str, Entry]:
    return {name: cls() for name, cls in discover(sys.modules[__name__], Entry).items()}  # type: ignore[type-abstract]


def get(kind: str) -> Entry:
    """Raises KeyError for a kind that does not exist."""
    return _all()[kind]


def kinds() -> list[str]:
    return sorted(_all())
