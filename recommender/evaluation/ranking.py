"""Judges lists against what users really took, over all items: never against sampled negatives."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Interactions, Recommender
from recommender.evaluation.bootstrap import Estimate, Values, mean_interval, normal_interval
from recommender.evaluation.splits import Split

Ints = npt.NDArray[np.int64]
MAX_USERS = 10_000


@dataclass(frozen=True)
class Evaluation:
    """`metrics` with intervals by name; `per_user` the values behind the means, in the order of `users`."""

    k: int
    users: Ints
    metrics: dict[str, Estimate]
    per_user: dict[str, Values]


def evaluate(
    model: Recommender, split: Split, *, k: int = 20, seed: int = 0, resamples: int = 1000
) -> Evaluation | None:
    """Judges a model fitted on `split.train`; None when no user can be judged.

    Over MAX_USERS users, a seeded sample of them: the same for every model, so that comparisons stay
    paired.
    """
    users = split.users
    if not len(users):
        return None
    if len(users) > MAX_USERS:
        users = np.sort(np.random.default_rng(seed).choice(users, MAX_USERS, replace=False))
    lists, _ = model.recommend_for(
        split.train.rows(users), k, exclude=split.train.rows(users) if split.new_only else None
    )
    wanted = split.test.rows(users)
    hits = hit_matrix(lists, wanted)
    sizes = np.diff(wanted.indptr)
    per_user = {"ndcg": ndcg(hits, sizes), "recall": recall(hits, sizes), "hit_rate": hit_rate(hits)}
    metrics = {}
    for name, values in per_user.items():
        estimate = mean_interval(values, resamples=resamples, seed=seed)
        if estimate is not None:
            metrics[name] = estimate
    n_items = split.train.n_items
    metrics["coverage"] = normal_interval(lambda rows: coverage(lists[rows], n_items), len(users), seed=seed)
    return Evaluation(k, users, metrics, per_user)


def hit_matrix(lists: Ints, wanted: Interactions) -> npt.NDArray[np.bool_]:
    """bool[n, k]: is this place of the list one of the user's wanted items? −1 never is."""
    width = max(wanted.n_items, 1)
    keys = np.repeat(np.arange(wanted.n_users), np.diff(wanted.indptr)) * width + wanted.items
    places = np.arange(len(lists))[:, None] * width + lists
    return np.isin(places, keys) & (lists >= 0)


def recall(hits: npt.NDArray[np.bool_], sizes: Ints) -> Values:
    """Found share of each user's wanted items (of all of them, also where there are more than k)."""
    return np.asarray(hits.sum(axis=1) / sizes, dtype=np.float64)


def ndcg(hits: npt.NDArray[np.bool_], sizes: Ints) -> Values:
    """Binary gains, discount 1 / log2(place + 1), ideal list cut at k.

    Source: Järvelin and Kekäläinen (2002).
    """
    k = hits.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(sizes, k) - 1]
    return np.asarray((hits @ discounts) / ideal, dtype=np.float64)


def hit_rate(hits: npt.NDArray[np.bool_]) -> Values:
    """1 where at least one wanted item was in the list, else 0."""
    return np.asarray(hits.any(axis=1), dtype=np.float64)


def coverage(lists: Ints, n_items: int) -> float:
    """Share of all items that stand in at least one list."""
    return float(len(np.unique(lists[lists >= 0])) / n_items) if n_items else 0.0
