"""From scores to lists, and the rules that take items out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._ranking_kernels import keep_best

Rows = Sequence[Sequence[int]] | Sequence[npt.NDArray[Any]]
_EVERYTHING = np.zeros(0, dtype=np.bool_)
Exclude = Interactions | Rows | Sequence[int] | npt.NDArray[Any] | None


def top_k(scores: Floats, k: int, *, allowed: npt.NDArray[np.bool_] | None = None) -> tuple[Ints, Floats]:
    """The k best columns of each row, best first, equal scores by column; −1 and −inf where none is left.

    `allowed` is bool[width], for all rows.
    """
    items = np.empty((len(scores), k), dtype=np.int64)
    best = np.empty((len(scores), k), dtype=np.float32)
    scores = np.ascontiguousarray(scores, dtype=np.float32)
    keep_best(scores, _EVERYTHING if allowed is None else allowed, items, best)
    return items, best


def excluded_pairs(exclude: Exclude, *, n: int, n_items: int) -> tuple[Ints, Ints]:
    """Row and item number of every exclusion, sorted by row. Items the model does not know are ignored."""
    if exclude is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    if isinstance(exclude, Interactions):
        per_row, items = np.diff(exclude.indptr), exclude.items
    elif len(exclude) and np.ndim(exclude[0]) == 0:
        flat = np.asarray(exclude, dtype=np.int64)
        per_row, items = np.full(n, len(flat)), np.tile(flat, n)
    else:
        ragged = [np.asarray(row, dtype=np.int64) for row in exclude]
        per_row = np.array([len(row) for row in ragged], dtype=np.int64)
        items = np.concatenate(ragged) if ragged else np.zeros(0, dtype=np.int64)
        if not ragged:
            per_row = np.zeros(n, dtype=np.int64)
    if len(per_row) != n:
        raise ValueError(f"exclude has {len(per_row)} rows for {n} users")
    rows = np.repeat(np.arange(n), per_row)
    known = (items >= 0) & (items < n_items)
    return rows[known], items[known]


def allowed_mask(allowed: npt.ArrayLike | None, *, n_items: int) -> npt.NDArray[np.bool_] | None:
    """bool[n_items] from item numbers or a mask; None allows everything. Unknown numbers are ignored."""
    if allowed is None:
        return None
    given = np.asarray(allowed)
    if given.dtype == np.bool_:
        if given.shape != (n_items,):
            raise ValueError(f"the mask has shape {given.shape}, the model {n_items} items")
        return given
    mask = np.zeros(n_items, dtype=np.bool_)
    numbers = given.astype(np.int64)
    mask[numbers[(numbers >= 0) & (numbers < n_items)]] = True
    return mask
