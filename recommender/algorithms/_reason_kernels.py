"""What in a history speaks most for an item, for many histories at once; and users by least squares."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True)
def best_of_matrix(
    indptr: Array, items: Array, weights: Array, matrix: Array, targets: Array, found: Array
) -> None:
    """An item's share is weight × matrix[item, target]."""
    for row in range(len(targets)):
        for at in range(targets.shape[1]):
            target, best = targets[row, at], np.float32(0)
            if target < 0:
                continue
            for place in range(indptr[row], indptr[row + 1]):
                share = weights[place] * matrix[items[place], target]
                if share > best and items[place] != target:
                    best, found[row, at] = share, items[place]


@njit(cache=True, nogil=True)
def best_of_lists(
    indptr: Array,
    items: Array,
    weights: Array,
    by_item: Array,
    numbers: Array,
    amounts: Array,
    targets: Array,
    found: Array,
) -> None:
    """An item's share is weight × the amount that its own list has for the target."""
    place_of = np.full(len(by_item) - 1, -1, dtype=np.int64)
    for row in range(len(targets)):
        wanted, best = targets[row], np.zeros(targets.shape[1], dtype=np.float64)
        for at in range(len(wanted)):
            if wanted[at] >= 0:
                place_of[wanted[at]] = at
        for place in range(indptr[row], indptr[row + 1]):
            own = slice(by_item[items[place]], by_item[items[place] + 1])
            _note_best(items[place], weights[place], numbers[own], amounts[own], place_of, best, found[row])
        for at in range(len(wanted)):
            if wanted[at] >= 0:  # a target that is named twice has its reason at its last place
                found[row, at] = found[row, place_of[wanted[at]]]
        for at in range(len(wanted)):
            if wanted[at] >= 0:
                place_of[wanted[at]] = -1


@njit(cache=True, nogil=True)
def _note_best(
    item: int, weight: float, numbers: Array, amounts: Array, place_of: Array, best: Array, found: Array
) -> None:
    for entry in range(len(numbers)):
        at = place_of[numbers[entry]]
        if at >= 0 and numbers[entry] != item and weight * amounts[entry] > best[at]:
            best[at], found[at] = weight * amounts[entry], item


@njit(cache=True, nogil=True)
def best_of_factors(
    indptr: Array,
    items: Array,
    extra: Array,
    vectors: Array,
    inverses: Array,
    of_row: Array,
    targets: Array,
    found: Array,
) -> None:
    """Shares yₜᵀ (G + Yᵀ W Y)⁻¹ yⱼ × (1 + w_j) of a weighted least-squares user.

    Y are the vectors of the history, W its `extra` confidences, G⁻¹ = inverses[of_row[row]]. A history that
    is shorter than the vectors is solved in its own size, by Woodbury's identity.
    """
    size = vectors.shape[1]
    for row in range(len(targets)):
        start, stop = indptr[row], indptr[row + 1]
        n, wanted = stop - start, targets[row]
        if n == 0 or not (wanted >= 0).any():
            continue
        own, w = vectors[items[start:stop]], extra[start:stop]
        asked = vectors[np.maximum(wanted, 0)]
        inverse = inverses[of_row[row]]
        half = np.dot(own, inverse)
        if n < size:
            # (G + YᵀWY)⁻¹Yᵀ = G⁻¹Yᵀ (I + W Y G⁻¹ Yᵀ)⁻¹
            system = np.dot(half, own.T) * w + np.eye(n)
            shares = np.linalg.solve(system, np.dot(half, asked.T))
        else:
            system = np.dot((own.T * w), half) + np.eye(size)
            shares = np.dot(half, np.linalg.solve(system, asked.T))
        for at in range(len(wanted)):
            best = 0.0
            for place in range(n):
                share = shares[place, at] * (1 + w[place])
                if wanted[at] >= 0 and share > best and items[start + place] != wanted[at]:
                    best, found[row, at] = share, items[start + place]


@njit(cache=True, nogil=True)
def users_of_factors(
    indptr: Array, items: Array, extra: Array, vectors: Array, inverses: Array, of_row: Array, users: Array
) -> None:
    """The users themselves, in the words of `best_of_factors`: (G + Yᵀ W Y)⁻¹ Yᵀ (1 + w)."""
    size = vectors.shape[1]
    for row in range(len(users)):
        start, stop = indptr[row], indptr[row + 1]
        n = stop - start
        if n == 0:
            continue
        own, w = vectors[items[start:stop]], extra[start:stop]
        half = np.dot(own, inverses[of_row[row]])
        if n < size:
            # (G + YᵀWY)⁻¹Yᵀ = G⁻¹Yᵀ (I + W Y G⁻¹ Yᵀ)⁻¹
            system = (np.dot(half, own.T) * w).T + np.eye(n)
            users[row] = np.dot(half.T, np.linalg.solve(system, 1 + w))
        else:
            system = (np.dot((own.T * w), half) + np.eye(size)).T
            users[row] = np.linalg.solve(system, np.dot(half.T, 1 + w))
