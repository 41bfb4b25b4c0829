"""The loops of neighbor models: whom a row has members in common with, how alike they are, the nearest few.

"Rows" are what is compared (users or items), "members" what they have in common (items or users). A row is
compared with all others at once, by walking its members' own lists: nothing of rows × rows is ever made.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
COSINE, PEARSON, MSD = 0, 1, 2
NOTHING = 1e-9


@njit(cache=True, nogil=True)
def sum_products(
    members: Array, weights: Array, indptr: Array, others: Array, amounts: Array, sums: Array, touched: Array
) -> int:
    """Adds weight × amount to `sums` of each other row; answers how many rows `touched` now names."""
    count = 0
    for at in range(len(members)):
        weight = weights[at]
        for place in range(indptr[members[at]], indptr[members[at] + 1]):
            other = others[place]
            if sums[other] == 0.0:
                touched[count] = other
                count += 1
            sums[other] += weight * amounts[place]
    return count


@njit(cache=True, nogil=True)
def sum_moments(
    members: Array,
    values: Array,
    indptr: Array,
    others: Array,
    amounts: Array,
    moments: Array,
    touched: Array,
) -> int:
    """As `sum_products`, and keeps n, Σab, Σa², Σb², Σa, Σb over the common members of each other row."""
    count = 0
    for at in range(len(members)):
        a = values[at]
        for place in range(indptr[members[at]], indptr[members[at] + 1]):
            other = others[place]
            b = amounts[place]
            found = moments[other]
            if found[0] == 0.0:
                touched[count] = other
                count += 1
            found[0] += 1.0
            found[1] += a * b
            found[2] += a * a
            found[3] += b * b
            found[4] += a
            found[5] += b
    return count


@njit(cache=True, nogil=True)
def likeness(kind: int, found: Array, shrinkage: float) -> Any:
    """Similarity over the common members only, times (n − 1) / (n − 1 + shrinkage); 0 where undefined."""
    n, ab, aa, bb = found[0], found[1], found[2], found[3]
    if kind == MSD:
        alike = 1.0 / (max(aa - 2.0 * ab + bb, 0.0) / n + 1.0)
    else:
        if kind == PEARSON:
            ab -= found[4] * found[5] / n
            aa -= found[4] * found[4] / n
            bb -= found[5] * found[5] / n
        if aa < NOTHING or bb < NOTHING:
            return 0.0
        alike = ab / np.sqrt(aa * bb)
    return alike * (n - 1.0) / (n - 1.0 + shrinkage) if shrinkage > 0.0 else alike


@njit(cache=True, nogil=True)
def keep(scores: Array, numbers: Array, score: Any, number: Any) -> None:
    """Puts an entry into a heap of the best, the worst on top; of equal scores the lower number is
    better.
    """
    size, at = len(scores), 0
    if score < scores[0] or (score == scores[0] and number > numbers[0]):
        return
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            scores[other] < scores[child]
            or (scores[other] == scores[child] and numbers[other] > numbers[child])
        ):
            child = other
        if scores[child] > score or (scores[child] == score and numbers[child] < number):
            break
        scores[at], numbers[at] = scores[child], numbers[child]
        at = child
    scores[at], numbers[at] = score, number


@njit(cache=True, nogil=True)
def nearest_by_products(
    indptr: Array, members: Array, weights: Array, norms: Array,
    by_member: Array, others: Array, amounts: Array, other_norms: Array,
    shrinkage: float, own: int, scores: Array, numbers: Array,
) -> None:  # fmt: skip
    """For each row its nearest others by cosine; −1 and −inf where there are fewer. Unsorted.

    `own`: the first row's own number among the others, not to be its own neighbor; −1 compares with all.
    """
    sums = np.zeros(len(other_norms))
    touched = np.empty(len(other_norms), dtype=np.int32)
    for row in range(len(indptr) - 1):
        span = slice(indptr[row], indptr[row + 1])
        count = sum_products(members[span], weights[span], by_member, others, amounts, sums, touched)
        scores[row] = -np.inf
        numbers[row] = -1
        for at in range(count):
            other = touched[at]
            if own < 0 or other != own + row:
                alike = np.float32(sums[other] / (norms[row] * other_norms[other] + shrinkage))
                keep(scores[row], numbers[row], alike, other)
            sums[other] = 0.0


@njit(cache=True, nogil=True)
def nearest_by_ratings(
    kind: int, indptr: Array, members: Array, values: Array,
    by_member: Array, others: Array, amounts: Array, n_others: int,
    shrinkage: float, own: int, scores: Array, numbers: Array,
) -> None:  # fmt: skip
    """As `nearest_by_products`, by `likeness` and without its norms; only what is alike above 0."""
    moments = np.zeros((n_others, 6))
    touched = np.empty(n_others, dtype=np.int32)
    for row in range(len(indptr) - 1):
        span = slice(indptr[row], indptr[row + 1])
        count = sum_moments(members[span], values[span], by_member, others, amounts, moments, touched)
        scores[row] = -np.inf
        numbers[row] = -1
        for at in range(count):
            other = touched[at]
            alike = np.float32(likeness(kind, moments[other], shrinkage))
            if alike > 0 and other != own + row:
                keep(scores[row], numbers[row], alike, other)
            moments[other] = 0.0


@njit(cache=True, nogil=True)
def add_rows(
    indptr: Array,
    members: Array,
    weights: Array,
    by_member: Array,
    targets: Array,
    amounts: Array,
    sums: Array,
) -> None:
    """sums[row, target] += weight × amount over the members of each row."""
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1]):
            for place in range(by_member[members[at]], by_member[members[at] + 1]):
                sums[row, targets[place]] += weights[at] * amounts[place]


@njit(cache=True, nogil=True)
def rate_by_items(
    neighbors: int, indptr: Array, members: Array, deviations: Array,
    by_item: Array, targets: Array, similar: Array, n_items: int,
    wanted_indptr: Array, wanted: Array, found: Array,
) -> None:  # fmt: skip
    """Mean of a row's deviations weighted by similarity to each wanted item, over the nearest members only.

    NaN where none is alike. No item may be wanted twice by a row.
    """
    most = 0
    for row in range(len(indptr) - 1):
        most = max(most, wanted_indptr[row + 1] - wanted_indptr[row])
    slots = np.full(n_items, -1, dtype=np.int32)
    scores = np.empty((most, neighbors), dtype=np.float32)
    places = np.empty((most, neighbors), dtype=np.int64)
    for row in range(len(indptr) - 1):
        first, last = wanted_indptr[row], wanted_indptr[row + 1]
        size = max(1, min(neighbors, indptr[row + 1] - indptr[row]))
        for at in range(first, last):
            slots[wanted[at]] = at - first
            scores[at - first, :size] = -np.inf
            places[at - first, :size] = -1
        for at in range(indptr[row], indptr[row + 1]):
            for place in range(by_item[members[at]], by_item[members[at] + 1]):
                slot = slots[targets[place]]
                if slot >= 0:
                    keep(scores[slot, :size], places[slot, :size], similar[place], at)
        for at in range(first, last):
            slots[wanted[at]] = -1
            found[at] = weighted_mean(scores[at - first, :size], places[at - first, :size], deviations)


@njit(cache=True, nogil=True)
def rate_by_users(
    kind: int, neighbors: int, shrinkage: float, indptr: Array, members: Array, values: Array,
    by_item: Array, users: Array, amounts: Array, deviations: Array, n_users: int,
    wanted_indptr: Array, wanted: Array, found: Array,
) -> None:  # fmt: skip
    """Mean of the deviations of the users who rated a wanted item, the nearest to the row only.

    NaN where none is alike.
    """
    moments = np.zeros((n_users, 6))
    touched = np.empty(n_users, dtype=np.int32)
    alike = np.zeros(n_users, dtype=np.float32)
    scores = np.empty(neighbors, dtype=np.float32)
    places = np.empty(neighbors, dtype=np.int64)
    for row in range(len(indptr) - 1):
        span = slice(indptr[row], indptr[row + 1])
        count = sum_moments(members[span], values[span], by_item, users, amounts, moments, touched)
        for at in range(count):
            alike[touched[at]] = likeness(kind, moments[touched[at]], shrinkage)
            moments[touched[at]] = 0.0
        for at in range(wanted_indptr[row], wanted_indptr[row + 1]):
            first, last = by_item[wanted[at]], by_item[wanted[at] + 1]
            size = max(1, min(neighbors, last - first))
            scores[:size] = -np.inf
            places[:size] = -1
            for place in range(first, last):
                if alike[users[place]] > 0:
                    keep(scores[:size], places[:size], alike[users[place]], place)
            found[at] = weighted_mean(scores[:size], places[:size], deviations)
        for at in range(count):
            alike[touched[at]] = 0.0


@njit(cache=True, nogil=True)
def weighted_mean(scores: Array, places: Array, deviations: Array) -> float:
    total, weight = 0.0, 0.0
    for at in range(len(scores)):
        if places[at] >= 0:
            total += scores[at] * deviations[places[at]]
            weight += scores[at]
    return total / weight if weight > 0.0 else np.nan
