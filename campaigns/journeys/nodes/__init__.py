"""The kinds of nodes. One is one module here with one class; see `_base.Node`."""

import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler
from personalization.registry import discover

__all__ = ["Field", "Move", "Node", "Place", "Stay", "Traveler", "exits_of", "get", "kinds"]


@cache
def _all() -> dict[str, Node]:
    return {name: cls() for name, cls in discover(sys.modules[__name__], Node).items()}  # type: ignore[type-abstract]


def get(kind: str) -> Node:
    """Raises KeyError for a kind that does not exist."""
    return _all()[kind]


def kinds() -> list[str]:
    return sorted(_all())


def exits_of(kind: str, params: Mapping[str, Any]) -> tuple[str, ...] | None:
    return _all()[kind].exits(params) if kind in _all() else None
