"""How alike items are, and the common scale on which that is weighed against relevance: compiled."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True)
def scale(values: Array, left: Array) -> float:
    """What makes the standard deviation of those left 1; 0 where all are equal."""
    n, total, squares = 0, 0.0, 0.0
    for at in range(len(values)):
        n += left[at]
        total += left[at] * np.float64(values[at])
    mean = total / n
    for at in range(len(values)):
        squares += left[at] * (np.float64(values[at]) - mean) ** 2
    deviation = np.sqrt(squares / n)
    return 1 / deviation if deviation > 1e-9 else 0.0


@njit(cache=True, nogil=True)
def alike(place: int, places: Array, vectors: Array, shelf) -> Array:
    """Likeness of one item to each of `places`: of their vectors, by tags where one has none."""
    found = np.zeros(len(places), dtype=np.float64)
    own = shelf.vectors[place]
    has_vector = np.any(own != 0)
    for at in range(len(places)):
        dot, length = np.float32(0), np.float32(0)
        if has_vector:
            for axis in range(len(own)):
                dot += own[axis] * vectors[at, axis]
                length += abs(vectors[at, axis])
        found[at] = dot if length > 0 else likeness(place, places[at], shelf.tag_starts, shelf.tags)
    return found


@njit(cache=True, nogil=True)
def likeness(one: int, other: int, tag_starts: Array, tags: Array) -> float:
    """Share of the tags of both that they have in common (Jaccard); 0 without tags."""
    left, right, common = tag_starts[one], tag_starts[other], 0
    left_end, right_end = tag_starts[one + 1], tag_starts[other + 1]
    total = (left_end - left) + (right_end - right)
    while left < left_end and right < right_end:
        if tags[left] == tags[right]:
            common += 1
            left += 1
            right += 1
        elif tags[left] < tags[right]:
            left += 1
        else:
            right += 1
    return common / (total - common) if total > common else 0.0
