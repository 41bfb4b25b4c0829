"""Compiled loops of the Bayesian factor models: vectors drawn from their normal distributions."""

from typing import Any

import numpy as np
from numba import njit

Array = Any  # a NumPy array


@njit(cache=True, nogil=True, fastmath=True)
def draw_rows(
    indptr: Array, columns: Array, ratings: Array, others: Array, precision: Any, prior_precision: Array,
    prior_weighted: Array, normals: Array, rows: Array,
) -> float:  # fmt: skip
    """Draws each row's vector given the vectors of the columns, into `rows`.

    The row's distribution is normal with precision Λ + α Σ q qᵀ and mean that inverse × (Λμ + α Σ r q),
    where `prior_weighted` is Λμ: Salakhutdinov and Mnih (2008), equations 11 to 13. `normals` are standard
    ones; zeros give the mean itself. Answers the sum of squared errors of the new vectors.
    """
    width = rows.shape[1]
    total = 0.0
    system = np.empty((width, width))
    solved = np.empty(width)
    for row in range(len(indptr) - 1):
        system[:] = prior_precision
        solved[:] = prior_weighted
        for at in range(indptr[row], indptr[row + 1]):
            _add(others[columns[at]], ratings[at], precision, system, solved)
        _factorize(system)
        for f in range(width):
            for g in range(f):
                solved[f] -= system[f, g] * solved[g]
            solved[f] /= system[f, f]
        # Lᵀ x = L⁻¹ b + z gives the mean plus noise of covariance (L Lᵀ)⁻¹ in one go.
        for f in range(width - 1, -1, -1):
            value = solved[f] + normals[row, f]
            for g in range(f + 1, width):
                value -= system[g, f] * solved[g]
            solved[f] = value / system[f, f]
            rows[row, f] = solved[f]
        for at in range(indptr[row], indptr[row + 1]):
            q = others[columns[at]]
            error = ratings[at]
            for f in range(width):
                error -= q[f] * rows[row, f]
            total += error * error
    return total


@njit(cache=True, nogil=True, fastmath=True)
def _add(q: Array, rating: Any, precision: Any, system: Array, solved: Array) -> None:
    """What one rating adds to the row's precision and to precision × mean."""
    for f in range(len(q)):
        scaled = precision * q[f]
        solved[f] += scaled * rating
        for g in range(len(q)):
            system[f, g] += scaled * q[g]


@njit(cache=True, nogil=True, fastmath=True)
def _factorize(system: Array) -> None:
    """Cholesky in place: the lower triangle of L."""
    for f in range(len(system)):
        for g in range(f + 1):
            value = system[f, g]
            for h in range(g):
                value -= system[f, h] * system[g, h]
            system[f, g] = np.sqrt(value) if f == g else value / system[g, g]
