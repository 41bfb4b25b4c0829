"""The half step of ALS in compiled loops: every row by conjugate gradients at a strength of its own."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import sparse

from recommender.algorithms._interactions import Floats

# Enough, since each row starts from where it was; as many as the implicit library takes.
STEPS = 3
# Rows are shared out in parts of about so many entries: fewer cost more in threads than they give.
ENTRIES_OF_PART = 50_000
SMALL = np.float32(1e-20)


@dataclass(frozen=True)
class HalfStep:
    """Rows to be solved: their confidences (CSR, float32) and the strength of each, float32[rows]."""

    confidences: sparse.csr_matrix
    strengths: Floats

    def solve(self, found: Floats, fixed: Floats) -> None:
        """Moves `found` float32[rows, factors] towards the solution, the other side being `fixed`."""
        gram = fixed.T @ fixed
        matrix = self.confidences

        def part(start: int, stop: int) -> None:
            _solve(
                matrix.indptr, matrix.indices, matrix.data, self.strengths, fixed, gram, found, start, stop
            )

        bounds = self._bounds()
        with ThreadPoolExecutor(min(len(bounds) - 1, os.cpu_count() or 1)) as pool:
            list(pool.map(part, bounds[:-1], bounds[1:]))

    def _bounds(self) -> list[int]:
        indptr = self.confidences.indptr
        cuts = np.searchsorted(indptr, np.arange(ENTRIES_OF_PART, indptr[-1], ENTRIES_OF_PART))
        return [int(bound) for bound in np.unique([0, *cuts, len(indptr) - 1])]


@njit(cache=True, nogil=True, fastmath=True)
def _solve(
    indptr: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    confidences: Floats,
    strengths: Floats,
    fixed: Floats,
    gram: Floats,
    found: Floats,
    start: int,
    stop: int,
) -> None:
    """(YᵀY + Yᵀ(C − I)Y + λI) x = YᵀC1 for rows start to stop, from the x that is there.

    Source: Takács, Pilászy and Tikk (2011), Applications of the Conjugate Gradient Method for Implicit
    Feedback Collaborative Filtering, algorithm 2.
    """
    width = fixed.shape[1]
    rest, step = np.empty(width, np.float32), np.empty(width, np.float32)
    image = np.empty(width, np.float32)
    for row in range(start, stop):
        x, first, last = found[row], indptr[row], indptr[row + 1]
        if first == last:
            x[:] = 0
            continue
        _apply(gram, items, confidences, strengths[row], fixed, first, last, x, image)
        for j in range(width):
            rest[j] = -image[j]
        for at in range(first, last):
            _add(rest, confidences[at], fixed[items[at]])
        step[:] = rest
        squares = _product(rest, rest)
        for _ in range(STEPS):
            if squares < SMALL:
                break
            _apply(gram, items, confidences, strengths[row], fixed, first, last, step, image)
            length = squares / _product(step, image)
            _add(x, length, step)
            _add(rest, -length, image)
            left = _product(rest, rest)
            for j in range(width):
                step[j] = rest[j] + left / squares * step[j]
            squares = left


@njit(cache=True, nogil=True, fastmath=True)
def _apply(
    gram: Floats,
    items: npt.NDArray[np.int32],
    confidences: Floats,
    strength: np.float32,
    fixed: Floats,
    first: int,
    last: int,
    vector: Floats,
    image: Floats,
) -> None:
    """The row's system times a vector, without making the system."""
    for i in range(len(vector)):
        image[i] = strength * vector[i] + _product(gram[i], vector)
    for at in range(first, last):
        y = fixed[items[at]]
        _add(image, (confidences[at] - np.float32(1)) * _product(y, vector), y)


@njit(cache=True, nogil=True, fastmath=True)
def _product(a: Floats, b: Floats) -> np.float32:
    total = np.float32(0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(cache=True, nogil=True, fastmath=True)
def _add(to: Floats, times: np.float32, what: Floats) -> None:
    for j in range(len(to)):
        to[j] += times * what[j]
