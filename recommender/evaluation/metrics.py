"""Ranking metrics: one small function each, found by name. In: lists and hits; out: one value per user.

All are larger-is-better. NaN where a user's value is not defined; such users are left out of the mean.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recommender.algorithms import Interactions
from recommender.evaluation.bootstrap import Values

Ints = npt.NDArray[np.int64]
DIVERSITY_USERS = 2_000


@dataclass(frozen=True)
class Judged:
    """Lists of n users beside what they really took.

    `lists` int64[n, k], −1 where a list is shorter; `hits` bool[n, k]: was this place wanted?; `sizes`
    int64[n]: how many items each wanted, at least 1; `train`: what the model had learned from.
    """

    lists: Ints
    hits: npt.NDArray[np.bool_]
    sizes: Ints
    train: Interactions

    @property
    def k(self) -> int:
        return int(self.lists.shape[1])


Metric = Callable[[Judged], Values]


def ndcg_by_place(judged: Judged) -> Values:
    """Binary gains, discount 1 / log2(place + 1), ideal list cut at k.

    Source: Järvelin and Kekäläinen (2002).
    """
    discounts = 1 / np.log2(np.arange(2, judged.k + 2))
    ideal = np.cumsum(discounts)[np.minimum(judged.sizes, judged.k) - 1]
    return np.asarray(judged.hits * discounts / ideal[:, None], dtype=np.float64)


def recall_by_place(judged: Judged) -> Values:
    """Found share of each user's wanted items (of all of them, also where there are more than k)."""
    return np.asarray(judged.hits / judged.sizes[:, None], dtype=np.float64)


def precision_by_place(judged: Judged) -> Values:
    """Wanted share of the k places; an empty place counts as a miss."""
    return np.asarray(judged.hits / judged.k, dtype=np.float64)


def average_precision_by_place(judged: Judged) -> Values:
    """Precision at each hit, summed, over min(k, wanted): its mean over users is MAP@k.

    Source: Manning, Raghavan and Schütze (2008), section 8.4, cut at k.
    """
    precisions = np.cumsum(judged.hits, axis=1) / np.arange(1, judged.k + 1)
    wanted = np.minimum(judged.sizes, judged.k)
    return np.where(judged.hits, precisions, 0.0) / wanted[:, None]


def reciprocal_rank_by_place(judged: Judged) -> Values:
    """1 / place of the first hit, 0 without one: its mean is MRR@k. Source: Voorhees (1999)."""
    return _first_hit(judged) / np.arange(1, judged.k + 1)


def hit_rate_by_place(judged: Judged) -> Values:
    """1 where at least one wanted item was in the list, else 0."""
    return _first_hit(judged).astype(np.float64)


def _first_hit(judged: Judged) -> npt.NDArray[np.bool_]:
    return np.asarray(judged.hits & (np.cumsum(judged.hits, axis=1) == 1))


# What each place of a list adds to its user's value, float64[n, k]: those by which a model may be chosen.
BY_PLACE: dict[str, Metric] = {
    "ndcg": ndcg_by_place,
    "recall": recall_by_place,
    "precision": precision_by_place,
    "map": average_precision_by_place,
    "mrr": reciprocal_rank_by_place,
    "hit_rate": hit_rate_by_place,
}
DECIDING = tuple(BY_PLACE)


def ndcg(judged: Judged) -> Values:
    """Of each user (see `ndcg_by_place`)."""
    return np.asarray(ndcg_by_place(judged).sum(axis=1))


def novelty(judged: Judged) -> Values:
    """Mean surprise of the listed items in bits, −log2(share of the training users who have it).

    An item nobody had counts as if one user had it. NaN for an empty list. Source: Zhou et al. (2010),
    PNAS 107, "self-information".
    """
    train = judged.train
    owners = np.bincount(train.items, minlength=max(train.n_items, 1))
    surprise = np.log2(max(train.n_users, 1) / np.maximum(owners, 1))
    real = judged.lists >= 0
    bits = np.where(real, surprise[np.where(real, judged.lists, 0)], 0.0).sum(axis=1)
    return _over(bits, real.sum(axis=1))


def diversity(judged: Judged) -> Values:
    """Mean of 1 − cosine over the pairs of a list, each item being the set of users who have it.

    NaN for lists of fewer than two items, and beyond the first DIVERSITY_USERS users, for time. Source:
    Ziegler et al. (2005), intra-list similarity, turned round.
    """
    train = judged.train
    counted = judged.lists[:DIVERSITY_USERS]
    rows, places = np.nonzero(counted >= 0)
    listed = sparse.csr_matrix(
        (np.ones(len(rows)), (rows, counted[rows, places])), shape=(len(counted), train.n_items)
    )
    owned = sparse.csr_matrix(train.matrix.T, dtype=np.float64)
    owned.data[:] = 1.0
    lengths = np.sqrt(np.diff(owned.indptr))
    unit = sparse.diags(1 / np.maximum(lengths, 1)) @ owned
    summed = np.asarray((listed @ unit).power(2).sum(axis=1)).ravel()
    # |Σ x|² = Σ |x|² + 2 Σ over pairs of cosines; an item without owners has length 0.
    own = np.asarray(listed @ (lengths > 0)).ravel()
    n = np.diff(listed.indptr)
    values = np.full(len(judged.lists), np.nan)
    values[: len(counted)] = 1 - _over(summed - own, n * (n - 1))
    return values


def coverage(judged: Judged) -> float:
    """Share of all items that stand in at least one list: one figure for all users."""
    n_items = judged.train.n_items
    return float(len(np.unique(judged.lists[judged.lists >= 0])) / n_items) if n_items else 0.0


def _over(sums: Values, counts: Ints) -> Values:
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _summed(by_place: Metric) -> Metric:
    return lambda judged: np.asarray(by_place(judged).sum(axis=1))


METRICS: dict[str, Metric] = {
    **{name: _summed(by_place) for name, by_place in BY_PLACE.items()},
    "novelty": novelty,
    "diversity": diversity,
}
