"""What templates ask for by a tag, loaded for a chunk at once. A provider is one module here with one class;
see `_base.Provider`."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from campaigns.needs._base import Asked, Given, Provider, Scene
from personalization.content.errors import Problem, RenderError
from personalization.content.language import ask
from personalization.content.needs import Need
from personalization.registry import discover

__all__ = ["Asked", "Given", "Provider", "Scene", "ask_for", "load", "problems_of"]


@cache
def _all() -> dict[str, Provider]:
    return {name: cls() for name, cls in discover(sys.modules[__name__], Provider).items()}  # type: ignore[type-abstract]


def problems_of(needs: Iterable[Need]) -> list[Problem]:
    """What is wrong with tags whoever the customer is."""
    found = []
    for need in needs:
        provider, name = _all()[need.kind], f"{need.kind} “{need.name}”" if need.name else need.kind
        found += [Problem("body", f"{name}: {text}") for text in provider.problems(need)]
        found += [Problem("body", f"{name}: {text}", level="warning") for text in provider.warnings(need)]
    return found


def ask_for(
    needs: Sequence[Need], values: Mapping[str, Any], *, delivery_id: int, variant: str
) -> tuple[list[Asked], dict[tuple[int, str], Given]]:
    """What one message asks, with this customer's arguments; when those cannot be told, its tags fail."""
    profile = values["customer"]
    try:
        found = ask(needs, values)
    except RenderError as error:
        return [], {(delivery_id, need.key): Given(error) for need in needs}
    return [
        Asked(delivery_id, profile.get("id", 0), variant, profile, need, arguments, values)
        for need, arguments in found.items()
    ], {}


def load(asked: Iterable[Asked], scene: Scene) -> dict[int, dict[str, Given]]:
    """By delivery and key of the need; each provider is asked once."""
    by_kind: dict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        by_kind[one.need.kind].append(one)
    found: dict[int, dict[str, Given]] = defaultdict(dict)
    for kind, several in by_kind.items():
        for (delivery, key), given in _all()[kind].load(several, scene).items():
            found[delivery][key] = given
    return found
