"""Judges predicted ratings by their errors; users are resampled with all of their ratings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Recommender
from recommender.algorithms._ratings import RatingRecommender
from recommender.evaluation.bootstrap import Estimate, PairedDifference
from recommender.evaluation.splits import Split

Floats = npt.NDArray[np.float64]
BLOCK_PAIRS = 200_000


@dataclass(frozen=True)
class RatingEvaluation:
    """`metrics` with intervals by name. Behind them, by fold and user (float64[folds, users]): the sums of
    squared and of absolute errors, and how many ratings were predicted.
    """

    metrics: dict[str, Estimate]
    squared: Floats
    absolute: Floats
    counts: Floats


def evaluate_ratings(model: Recommender, split: Split) -> RatingEvaluation | None:
    """Errors on the held-out events; None for a model without `predict`, or without such events."""
    log = split.test_log
    if not (isinstance(model, RatingRecommender) and model.is_explicit) or log is None or not len(log):
        return None
    predicted = np.concatenate(
        [
            model.predict(log.users[start : start + BLOCK_PAIRS], log.items[start : start + BLOCK_PAIRS])
            for start in range(0, len(log), BLOCK_PAIRS)
        ]
    )
    errors = log.weights.astype(np.float64) - predicted
    n_users = log.shape[0]

    def by_user(values: Floats) -> Floats:
        return np.bincount(log.users, weights=values, minlength=n_users)[None].astype(np.float64)

    return _evaluation(by_user(errors**2), by_user(np.abs(errors)), by_user(np.ones(len(errors))))


def merge_rating_folds(folds: Sequence[RatingEvaluation]) -> RatingEvaluation | None:
    """The mean of the folds' figures, as papers report it; intervals over users across all folds."""
    if len(folds) < 2:
        return folds[0] if folds else None
    return _evaluation(
        np.concatenate([fold.squared for fold in folds]),
        np.concatenate([fold.absolute for fold in folds]),
        np.concatenate([fold.counts for fold in folds]),
    )


def compare_rmse(
    a: RatingEvaluation, b: RatingEvaluation, *, resamples: int = 1000, seed: int = 0
) -> PairedDifference:
    """RMSE of a minus RMSE of b on the same ratings: below zero where a is better."""
    if not np.array_equal(a.counts, b.counts):
        raise ValueError("not the same ratings")

    def difference(rows: npt.NDArray[np.int64]) -> float:
        return rmse(a.squared[:, rows], a.counts[:, rows]) - rmse(b.squared[:, rows], b.counts[:, rows])

    found = _by_users(difference, a.counts, resamples=resamples, seed=seed)
    return PairedDifference(found.value, found.low, found.high, int((a.counts.sum(axis=0) > 0).sum()))


def rmse(squared: Floats, counts: Floats) -> float:
    """Root of the mean squared error of each fold, then the mean over folds (rows)."""
    return float(np.mean(np.sqrt(squared.sum(axis=1) / np.maximum(counts.sum(axis=1), 1))))


def mae(absolute: Floats, counts: Floats) -> float:
    """Mean absolute error of each fold, then the mean over folds (rows)."""
    return float(np.mean(absolute.sum(axis=1) / np.maximum(counts.sum(axis=1), 1)))


def _evaluation(squared: Floats, absolute: Floats, counts: Floats) -> RatingEvaluation:
    metrics = {
        "rmse": _by_users(lambda rows: rmse(squared[:, rows], counts[:, rows]), counts),
        "mae": _by_users(lambda rows: mae(absolute[:, rows], counts[:, rows]), counts),
    }
    return RatingEvaluation(metrics, squared, absolute, counts)


def _by_users(
    statistic: Callable[[npt.NDArray[np.int64]], float],
    counts: Floats,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Percentile interval over resampled users: the ratings of one user are not independent."""
    rated = np.flatnonzero(counts.sum(axis=0) > 0)
    value = statistic(rated)
    if len(rated) < 2:
        return Estimate(value, None, None)
    random = np.random.default_rng(seed)
    drawn = [statistic(random.choice(rated, len(rated))) for _ in range(resamples)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(value, float(low), float(high))
