"""Thompson sampling for yes or no."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.special import betainc, betaincinv

from experiments.bandits.best_chance import Floats, Function, chances_to_be_best
from experiments.bandits.exploration import with_floor
from experiments.stats import Proportion


def beta_chances(
    arms: Sequence[Proportion], *, prior: tuple[float, float] = (1.0, 1.0), floor: float = 0.0
) -> Floats:
    """The chance with which each arm is to be drawn: that of having the largest rate, under Beta posteriors.

    Drawing an arm with this chance is Thompson's rule itself, with a propensity that is exact.
    Source: Thompson (1933), Biometrika 25; Beta posteriors after Chapelle and Li (2011), algorithm 2.
    """
    shapes = [(prior[0] + arm.successes, prior[1] + arm.n - arm.successes) for arm in arms]
    quantiles: list[Function] = [partial(_quantile, a, b) for a, b in shapes]
    distributions: list[Function] = [partial(_distribution, a, b) for a, b in shapes]
    return with_floor(chances_to_be_best(quantiles, distributions), floor)


def _quantile(a: float, b: float, u: Floats) -> Floats:
    return np.asarray(betaincinv(a, b, u), dtype=np.float64)


def _distribution(a: float, b: float, x: Floats) -> Floats:
    return np.asarray(betainc(a, b, x), dtype=np.float64)
