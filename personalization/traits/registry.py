"""The kinds of computed traits, by name: of this room, and those that rooms above name in `trait_kinds`."""

from functools import cache

from django.apps import apps
from django.utils.module_loading import import_string

from personalization.registry import RegistryError, discover
from personalization.traits import kinds
from personalization.traits.kind import TraitKind


@cache
def trait_kinds() -> dict[str, TraitKind]:
    """Raises RegistryError where two have one name."""
    found = discover(kinds, TraitKind)  # type: ignore[type-abstract]
    for path in (path for config in apps.get_app_configs() for path in getattr(config, "trait_kinds", ())):
        cls = import_string(path)
        if cls.name in found:
            raise RegistryError(f"{path}: the name {cls.name!r} is taken by {found[cls.name].__module__}")
        found[cls.name] = cls
    return {name: cls() for name, cls in sorted(found.items())}


def kind_of(name: str) -> TraitKind:
    """Raises KeyError."""
    return trait_kinds()[name]
