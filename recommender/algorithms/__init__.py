"""Recommendation algorithms, pure: arrays in, item numbers and scores out. No Django, no database, no
pickle.

One file, one class: every module here whose name has no leading underscore holds one `Recommender`, and is
found by itself. Users and items are row and column numbers of an `Interactions`; who they are is the
caller's affair.
"""

import sys
from functools import cache
from pathlib import Path

from personalization.registry import discover
from recommender.algorithms._artifact import ArtifactError, read_algorithm
from recommender.algorithms._base import MissingExtraError, NotEnoughMemoryError, Recommender
from recommender.algorithms._features import ItemFeatures
from recommender.algorithms._interactions import Interactions

__all__ = [
    "ArtifactError",
    "Interactions",
    "ItemFeatures",
    "MissingExtraError",
    "NotEnoughMemoryError",
    "Recommender",
    "UnknownAlgorithmError",
    "get",
    "load",
    "names",
]


class UnknownAlgorithmError(ValueError):
    """No algorithm has this name."""


@cache
def _classes() -> dict[str, type[Recommender]]:
    # mypy wants a concrete class for type[T]; the registry only asks for its subclasses.
    return discover(sys.modules[__name__], Recommender)  # type: ignore[type-abstract]


def names() -> list[str]:
    """Every algorithm there is, in alphabetical order."""
    return sorted(_classes())


def get(name: str) -> type[Recommender]:
    """The class of that name; raises UnknownAlgorithmError."""
    try:
        return _classes()[name]
    except KeyError:
        raise UnknownAlgorithmError(f"no algorithm {name!r}; there are: {', '.join(names())}") from None


def load(path: str | Path, *, digest: str | None = None) -> Recommender:
    """The fitted model in a file, whatever its algorithm; `digest` as answered by `save`, checked when
    given.

    Raises ArtifactError when the file was cut off or changed, or is not one of ours.
    """
    return get(read_algorithm(path)).load(path, digest=digest)
