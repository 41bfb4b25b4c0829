"""Models of uplift, one file each: from a trial to the extra outcome a message brings each customer."""

from functools import cache

from experiments.uplift.learners._cross_fit import cross_fit
from experiments.uplift.learners._learner import Learner
from experiments.uplift.responses import Base

__all__ = ["Base", "Learner", "cross_fit", "get", "names"]


@cache
def _learners() -> dict[str, type[Learner]]:
    import experiments.uplift.learners as package
    from personalization.registry import discover

    return discover(package, Learner)  # type: ignore[type-abstract]


def get(name: str) -> type[Learner]:
    """Raises KeyError for a learner that does not exist."""
    return _learners()[name]


def names() -> list[str]:
    return sorted(_learners())
