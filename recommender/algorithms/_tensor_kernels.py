"""The loop of the tensor model: exact least squares for the vectors of one mode, all others held."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
# A row of which nothing is known stays solvable.
LEAST_RIDGE = 1e-9


@njit(cache=True, nogil=True)
def solve_in_place(system: Array, right: Array) -> None:
    """Cholesky, on the lower triangle; `right` becomes the solution."""
    size = len(right)
    for a in range(size):
        for b in range(a + 1):
            total = system[a, b]
            for c in range(b):
                total -= system[a, c] * system[b, c]
            system[a, b] = np.sqrt(max(total, LEAST_RIDGE)) if a == b else total / system[b, b]
    for a in range(size):
        for b in range(a):
            right[a] -= system[a, b] * right[b]
        right[a] /= system[a, a]
    for a in range(size - 1, -1, -1):
        for b in range(a + 1, size):
            right[a] -= system[b, a] * right[b]
        right[a] /= system[a, a]


@njit(cache=True, nogil=True)
def add_outer(
    mode: int, cells: Array, codes: Array, offsets: Array, factors: Array,
    weights: Array, targets: Array, z: Array, system: Array, right: Array,
) -> None:  # fmt: skip
    """system += Σ weight zzᵀ (lower triangle), right += Σ target z, where z is the product of a cell's
    vectors in all other modes; a mode in which its code is −1 is left out.
    """
    size = len(z)
    for cell in cells:
        z[:] = 1.0
        for other in range(len(codes)):
            if other != mode and codes[other, cell] >= 0:
                vector = factors[offsets[other] + codes[other, cell]]
                for a in range(size):
                    z[a] *= vector[a]
        for a in range(size):
            right[a] += targets[cell] * z[a]
            weighted = weights[cell] * z[a]
            for b in range(a + 1):
                system[a, b] += weighted * z[b]


@njit(cache=True, nogil=True)
def add_ridge(system: Array, right: Array, ridge: float, prior: float) -> None:
    """A negative ridge is relative to the mean of the diagonal."""
    size = len(right)
    if ridge < 0.0:
        trace = 0.0
        for a in range(size):
            trace += system[a, a]
        ridge *= -trace / size
    ridge = max(ridge, LEAST_RIDGE)
    for a in range(size):
        system[a, a] += ridge
        right[a] += ridge * prior


@njit(cache=True, nogil=True)
def solve_mode(
    mode: int, offsets: Array, factors: Array, base: Array, gram: Array,
    visit_indptr: Array, visit_order: Array, visit_codes: Array, visit_shares: Array, nothing: Array,
    indptr: Array, order: Array, codes: Array, weights: Array, targets: Array,
    ridges: Array, prior: float,
) -> None:  # fmt: skip
    """Each row of the mode: (base + gram ∘ Σ visits + Σ cells + ridge I) x = Σ target z + ridge × prior.

    The orders are visits and cells sorted by this mode's code. `nothing` holds a zero for each visit.
    """
    size = factors.shape[1]
    system, right, z = np.empty((size, size)), np.empty(size), np.empty(size)
    for row in range(len(indptr) - 1):
        system[:] = base
        right[:] = 0.0
        span = visit_order[visit_indptr[row] : visit_indptr[row + 1]]
        add_outer(mode, span, visit_codes, offsets, factors, visit_shares, nothing, z, system, right)
        system *= gram
        span = order[indptr[row] : indptr[row + 1]]
        add_outer(mode, span, codes, offsets, factors, weights, targets, z, system, right)
        add_ridge(system, right, ridges[row], prior)
        solve_in_place(system, right)
        factors[offsets[mode] + row] = right
