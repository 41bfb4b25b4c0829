"""Kinds of metric, one file each: how a customer's events become one number, and the numbers a statistic."""

from functools import cache

from experiments.metrics._kind import NAMES, MetricKind, Reduction, Sums

__all__ = ["NAMES", "MetricKind", "Reduction", "Sums", "get", "names"]


@cache
def _kinds() -> dict[str, type[MetricKind]]:
    import experiments.metrics as package
    from personalization.registry import discover

    return discover(package, MetricKind)  # type: ignore[type-abstract]


def get(name: str) -> MetricKind:
    """Raises KeyError for a kind that does not exist."""
    return _kinds()[name]()


def names() -> list[str]:
    return sorted(_kinds())
