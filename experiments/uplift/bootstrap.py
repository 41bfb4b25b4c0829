"""How far the gain of a ranking may be luck: intervals by drawing the customers again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.uplift.curves import qini_gain
from experiments.uplift.table import Floats


@dataclass(frozen=True)
class Estimate:
    value: float
    ci: tuple[float, float]

    @property
    def is_above_zero(self) -> bool:
        return self.ci[0] > 0


@dataclass(frozen=True)
class Gains:
    """Of each score over random order, and of the first over each other, drawn with the same customers."""

    over_random: list[Estimate]
    of_first_over: list[Estimate]


class _Ranking:
    """A score sorted once; each draw then only weighs the customers anew."""

    def __init__(self, outcome: Floats, treated: Floats, score: Floats) -> None:
        order = np.argsort(-score, kind="stable")
        self.order = order
        self.starts = np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0)
        self.outcome, self.treated = outcome[order], treated[order]

    def gain(self, weights: Floats) -> float:
        """`qini_gain` of a sample in which each customer comes `weights` times."""
        weight = weights[self.order]
        got, left = weight * self.treated, weight * (1 - self.treated)
        n_t, n_c, sum_t, sum_c = (
            np.cumsum(np.add.reduceat(part, self.starts))
            for part in (got, left, got * self.outcome, left * self.outcome)
        )
        y = sum_t - np.divide(sum_c * n_t, n_c, out=np.zeros_like(n_t), where=n_c > 0)
        x = n_t + n_c
        area = float(np.trapezoid(np.append(0.0, y), np.append(0.0, x)) - x[-1] * y[-1] / 2)
        return area / float(x[-1] * n_t[-1])


def gains(
    outcome: Floats,
    treated: Floats,
    scores: Sequence[Floats],
    *,
    alpha: float = 0.05,
    draws: int = 500,
    seed: int = 0,
) -> Gains:
    """`qini_gain` of each score with 1 − alpha percentile intervals, from `draws` samples of each group.

    Source: Efron (1979); percentile intervals, paired over the scores.
    """
    rankings = [_Ranking(outcome, treated, score) for score in scores]
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(treated == group) for group in (0, 1)]
    drawn = np.empty((draws, len(scores)))
    for draw in range(draws):
        weights = np.zeros(len(outcome))
        for rows in groups:
            counts = np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows))
            weights[rows] = counts
        drawn[draw] = [ranking.gain(weights) for ranking in rankings]
    values = [qini_gain(outcome, treated, score) for score in scores]
    return Gains(
        [_estimate(value, drawn[:, i], alpha) for i, value in enumerate(values)],
        [_estimate(values[0] - values[i], drawn[:, 0] - drawn[:, i], alpha) for i in range(1, len(scores))],
    )


def _estimate(value: float, draws: Floats, alpha: float) -> Estimate:
    low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2])
    return Estimate(value, (float(low), float(high)))
