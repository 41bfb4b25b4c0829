"""Judges lists against what users really took, over all items: never against sampled negatives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Interactions, Recommender
from recommender.evaluation.bootstrap import Estimate, Values, mean_interval, normal_interval
from recommender.evaluation.metrics import METRICS, Judged, coverage
from recommender.evaluation.splits import Split

Ints = npt.NDArray[np.int64]
MAX_USERS = 10_000


@dataclass(frozen=True)
class Evaluation:
    """`metrics` with intervals by name; `per_user` the values behind the means, in the order of `users`;
    `judged` the lists themselves, None after merging folds.
    """

    k: int
    users: Ints
    metrics: dict[str, Estimate]
    per_user: dict[str, Values]
    judged: Judged | None = None


def evaluate(
    model: Recommender,
    split: Split,
    *,
    k: int = 20,
    context: Mapping[str, Any] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> Evaluation | None:
    """Judges a model fitted on `split.input_for(…)`; None when no user can be judged.

    `context` holds one value for all, or one for each of `judged_users(split)` (see `recommend`).
    Over MAX_USERS users, a seeded sample of them: the same for every model, so that comparisons stay
    paired.
    """
    users = judged_users(split, seed=seed)
    if not len(users):
        return None
    histories = split.input_for(is_explicit=model.is_explicit).rows(users)
    exclude = split.train.rows(users) if split.new_only else None
    lists, _ = model.recommend_for(histories, k, exclude=exclude, context=context)
    return evaluate_lists(lists, split, users=users, seed=seed, resamples=resamples)


def judged_users(split: Split, *, seed: int = 0) -> Ints:
    """The users of a split, at most MAX_USERS of them."""
    if len(split.users) <= MAX_USERS:
        return split.users
    return np.sort(np.random.default_rng(seed).choice(split.users, MAX_USERS, replace=False))


def evaluate_lists(
    lists: Ints, split: Split, *, users: Ints, seed: int = 0, resamples: int = 1000
) -> Evaluation:
    """Judges lists made elsewhere: row i of `lists` is what user `users[i]` was recommended."""
    wanted = split.test.rows(users)
    judged = Judged(lists, hit_matrix(lists, wanted), np.diff(wanted.indptr), split.train)
    per_user = {name: metric(judged) for name, metric in METRICS.items()}
    metrics = _intervals(per_user, seed=seed, resamples=resamples)

    def covered(rows: Ints) -> float:
        return coverage(Judged(lists[rows], judged.hits[rows], judged.sizes[rows], split.train))

    metrics["coverage"] = normal_interval(covered, len(users), seed=seed)
    return Evaluation(lists.shape[1], users, metrics, per_user, judged)


def merge_folds(folds: Sequence[Evaluation], *, seed: int = 0, resamples: int = 1000) -> Evaluation | None:
    """One judgment out of several folds: each user's value is the mean over the folds that judged him.

    Coverage is the mean over folds, without an interval.
    """
    if len(folds) < 2:
        return folds[0] if folds else None
    users = np.unique(np.concatenate([fold.users for fold in folds]))
    per_user = {name: _mean_by_user(folds, users, name) for name in METRICS}
    metrics = _intervals(per_user, seed=seed, resamples=resamples)
    shares = [fold.metrics["coverage"].value for fold in folds]
    metrics["coverage"] = Estimate(float(np.mean(shares)), None, None)
    return Evaluation(folds[0].k, users, metrics, per_user)


def hit_matrix(lists: Ints, wanted: Interactions) -> npt.NDArray[np.bool_]:
    """bool[n, k]: is this place of the list one of the user's wanted items? −1 never is."""
    width = max(wanted.n_items, 1)
    keys = np.repeat(np.arange(wanted.n_users), np.diff(wanted.indptr)) * width + wanted.items
    places = np.arange(len(lists))[:, None] * width + lists
    return np.isin(places, keys) & (lists >= 0)


def _intervals(per_user: dict[str, Values], *, seed: int, resamples: int) -> dict[str, Estimate]:
    found = {}
    for name, values in per_user.items():
        estimate = mean_interval(values[~np.isnan(values)], resamples=resamples, seed=seed)
        if estimate is not None:
            found[name] = estimate
    return found


def _mean_by_user(folds: Sequence[Evaluation], users: Ints, name: str) -> Values:
    summed, counts = np.zeros(len(users)), np.zeros(len(users))
    for fold in folds:
        values = fold.per_user[name]
        known = ~np.isnan(values)
        rows = np.searchsorted(users, fold.users[known])
        summed[rows] += values[known]
        counts[rows] += 1
    return np.where(counts > 0, summed / np.maximum(counts, 1), np.nan)
