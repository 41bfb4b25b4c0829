"""The loop that finds the best of many scores: one pass, no copy of the block."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
# Scores looked at together.
STRIDE = 32


@njit(cache=True, nogil=True)
def any_above(scores: Array, floor: Any) -> Any:
    """Without a branch, so that the compiler compares many at once: most stretches hold nothing good."""
    found = np.int32(0)
    for at in range(len(scores)):
        found |= np.int32(scores[at] > floor)
    return found != 0


@njit(cache=True, nogil=True)
def insert(score: Any, column: Any, values: Array, columns: Array) -> None:
    """Puts an entry into its place, behind equal scores; the last one falls out.

    Counting and shifting a few numbers in a row is faster than a heap, whose branches nobody can guess.
    """
    size = len(values)
    place = np.int64(0)
    for at in range(size):
        place += np.int64(values[at] >= score)
    for at in range(size - 1, place, -1):
        values[at] = values[at - 1]
    for at in range(size - 1, place, -1):
        columns[at] = columns[at - 1]
    values[place], columns[place] = score, column


@njit(cache=True, nogil=True)
def keep_best(scores: Array, allowed: Array, items: Array, best: Array) -> None:
    """Fills `items` and `best` (both [n, k]) from `scores` [n, width], best first, equal scores by column.

    `allowed` is bool[width], or empty for all. −inf and NaN are never taken.
    """
    n, width = scores.shape
    last = items.shape[1] - 1
    for row in range(n):
        line, values, columns = scores[row], best[row], items[row]
        values[:] = -np.inf
        columns[:] = -1
        for start in range(0, width, STRIDE):
            stop = min(start + STRIDE, width)
            if not any_above(line[start:stop], values[last]):
                continue
            for column in range(start, stop):
                if line[column] > values[last] and (not len(allowed) or allowed[column]):
                    insert(line[column], column, values, columns)
