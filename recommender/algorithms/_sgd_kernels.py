"""Compiled loops of the factor models of ratings. Arrays are changed in place; ratings come sorted by user.

All numbers are float32: the vectors are read through the cache once per rating, so half the bytes are
nearly half the time. The user's vector stays in the fastest cache while their ratings are gone through.
"""

from typing import Any

import numpy as np
from numba import njit

Array = Any  # a NumPy array of float32, or of int64 where it holds numbers of rows


@njit(cache=True, nogil=True, fastmath=True)
def _descend(
    user: int, vector: Array, start: int, stop: int, items: Array, targets: Array,
    biases: tuple[Array, Array], item_factors: Array, rate: Any, pull: Any, strengths: tuple[Any, Any],
) -> float:  # fmt: skip
    """One user's ratings in turn: `vector`, the biases and the items' vectors go down the gradient.

    `pull`: how many times as far the user's vector goes. No biases where their strength is negative.
    Answers the sum of squared errors, each before its step.
    """
    user_bias, item_bias = biases
    bias_strength, strength = strengths
    keep = np.float32(1) - rate * strength
    total = 0.0
    for at in range(start, stop):
        item = items[at]
        q = item_factors[item]
        error = targets[at] - user_bias[user] - item_bias[item]
        for f in range(len(vector)):
            error -= vector[f] * q[f]
        total += error * error
        step = rate * error
        if bias_strength >= 0:
            user_bias[user] += rate * (error - bias_strength * user_bias[user])
            item_bias[item] += rate * (error - bias_strength * item_bias[item])
        for f in range(len(vector)):
            before = vector[f]
            vector[f] = keep * before + pull * step * q[f]
            q[f] = keep * q[f] + step * before
    return total


@njit(cache=True, nogil=True, fastmath=True)
def sgd_epoch(
    indptr: Array, items: Array, targets: Array, biases: tuple[Array, Array], user_factors: Array,
    item_factors: Array, rate: Any, strengths: tuple[Any, Any],
) -> float:  # fmt: skip
    """One pass of r ≈ b_u + b_i + p_u·q_i over all ratings; `strengths` of the biases and of the factors."""
    total = 0.0
    for user in range(len(indptr) - 1):
        total += _descend(
            user, user_factors[user], indptr[user], indptr[user + 1], items, targets, biases,
            item_factors, rate, np.float32(1), strengths,
        )  # fmt: skip
    return total


@njit(cache=True, nogil=True, fastmath=True)
def svdpp_epoch(
    indptr: Array, items: Array, targets: Array, biases: tuple[Array, Array], user_factors: Array,
    item_factors: Array, implicit: Array, rate: Any, strengths: tuple[Any, Any],
) -> float:  # fmt: skip
    """One pass of r ≈ b_u + b_i + q_i·(p_u + Σ y_j / √n), exactly the steps of Koren's stochastic descent.

    All y_j of a user take the same step at each rating, and p_u takes the same one as Σ y_j / √n. So it is
    enough to follow their sum, and to hand out once per user what has gathered.
    """
    total = 0.0
    width = item_factors.shape[1]
    both, sums = np.empty(width, np.float32), np.empty(width, np.float32)
    for user in range(len(indptr) - 1):
        start, stop = indptr[user], indptr[user + 1]
        if start == stop:
            continue
        root = np.float32(1) / np.sqrt(np.float32(stop - start))
        sums[:] = 0
        for at in range(start, stop):
            y = implicit[items[at]]
            for f in range(width):
                sums[f] += y[f]
        p = user_factors[user]
        for f in range(width):
            sums[f] = p[f] + root * sums[f]
            both[f] = sums[f]
        total += _descend(
            user, both, start, stop, items, targets, biases, item_factors, rate, np.float32(2), strengths
        )
        kept = (np.float32(1) - rate * strengths[1]) ** np.float32(stop - start)
        for f in range(width):
            both[f] = np.float32(0.5) * (both[f] - kept * sums[f])
            p[f] = kept * p[f] + both[f]
            both[f] *= root
        for at in range(start, stop):
            y = implicit[items[at]]
            for f in range(width):
                y[f] = kept * y[f] + both[f]
    return total


@njit(cache=True, nogil=True, fastmath=True)
def multiply_rows(
    indptr: Array, columns: Array, ratings: Array, rows: Array, others: Array, strength: Any
) -> None:
    """One multiplicative update of every row of the non-negative r ≈ row·other over the observed ratings.

    Each entry times Σ r q / (Σ r̂ q + n λ entry): Luo, Zhou, Xia and Zhu (2014), equation 11.
    """
    width = rows.shape[1]
    tiny = np.float32(1e-12)
    up, down = np.empty(width, np.float32), np.empty(width, np.float32)
    for row in range(len(indptr) - 1):
        p = rows[row]
        up[:] = 0
        down[:] = 0
        for at in range(indptr[row], indptr[row + 1]):
            q, rating = others[columns[at]], ratings[at]
            rated = np.float32(0)
            for f in range(width):
                rated += p[f] * q[f]
            for f in range(width):
                up[f] += rating * q[f]
                down[f] += rated * q[f]
        held = strength * np.float32(indptr[row + 1] - indptr[row])
        for f in range(width):
            p[f] *= up[f] / (down[f] + held * p[f] + tiny)
