"""The compiled walk through decision trees."""

import numpy as np
import numpy.typing as npt
from numba import njit

Numbers = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def add_leaves(
    rows: npt.NDArray[np.float32],
    roots: Numbers,
    columns: Numbers,
    thresholds: Values,
    left: Numbers,
    right: Numbers,
    values: Values,
    found: Values,
) -> None:
    """Adds to found[i] the value of the leaf that rows[i] reaches in each tree; at a node, ≤ goes left."""
    for tree in range(len(roots)):
        for row in range(len(rows)):
            node = roots[tree]
            while columns[node] >= 0:
                node = left[node] if rows[row, columns[node]] <= thresholds[node] else right[node]
            found[row] += values[node]
