"""The kinds of computed traits, by name."""

from functools import cache

from personalization.registry import discover
from personalization.traits import kinds
from personalization.traits.kind import TraitKind


@cache
def trait_kinds() -> dict[str, TraitKind]:
    return {name: cls() for name, cls in sorted(discover(kinds, TraitKind).items())}  # type: ignore[type-abstract]


def kind_of(name: str) -> TraitKind:
    """Raises KeyError."""
    return trait_kinds()[name]
