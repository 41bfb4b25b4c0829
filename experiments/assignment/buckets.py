"""The parts of [0, 1) that belong to variants, layers and roll-outs, and which of them holds a fraction.

Names and edge cases follow the public GrowthBook specification: every range holds its low end and not its
high end.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

WEIGHT_TOLERANCE = 0.01

Range = tuple[float, float]


def equal_weights(count: int) -> list[float]:
    return [1 / count] * count if count > 0 else []


def bucket_ranges(weights: Sequence[float], coverage: float) -> list[Range]:
    """The part [low, high) of [0, 1) that belongs to each variant.

    A range starts where all weights before it end, whatever the coverage: raising the coverage later takes
    new customers in and moves nobody. Coverage is clamped to 0..1; weights that do not add up to 1 (± 0.01)
    are replaced by equal ones.
    """
    coverage = min(max(coverage, 0.0), 1.0)
    if not weights:
        return []
    if abs(sum(weights) - 1) > WEIGHT_TOLERANCE:
        weights = equal_weights(len(weights))
    starts = accumulate(weights[:-1], initial=0.0)
    return [(start, start + coverage * weight) for start, weight in zip(starts, weights, strict=True)]


def in_range(fraction: float, part: Range) -> bool:
    return part[0] <= fraction < part[1]


def choose(fraction: float, ranges: Iterable[Range]) -> int:
    """Index of the first range that holds the fraction; -1 when none does (outside the coverage)."""
    return next((index for index, part in enumerate(ranges) if in_range(fraction, part)), -1)


def choose_each(fractions: NDArray[np.float64], ranges: Sequence[Range]) -> NDArray[np.int64]:
    """`choose` of every fraction; shape (len(fractions),)."""
    chosen = np.full(len(fractions), -1, dtype=np.int64)
    for index in reversed(range(len(ranges))):
        low, high = ranges[index]
        chosen[(low <= fractions) & (fractions < high)] = index
    return chosen
