"""Thompson sampling for amounts."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtr, stdtrit

from experiments.bandits.best_chance import Floats, Function, chances_to_be_best
from experiments.bandits.exploration import with_floor
from experiments.stats import Mean

# Below this an arm's own spread is unknown: it is drawn like every other.
LEAST = 3


def normal_chances(arms: Sequence[Mean], *, floor: float = 0.0) -> Floats:
    """The chance of each arm to have the largest mean; arms are alike until each has three customers.

    The posterior of a normal mean with unknown variance and the prior 1/σ² is Student's t with n − 1 degrees
    around the average. Source: Honda and Takemura (2014), AISTATS, with Gelman et al. (2013), section 3.2.
    """
    if any(arm.n < LEAST or not arm.variance for arm in arms):
        return with_floor(np.full(len(arms), 1 / len(arms)), floor)
    pairs = [_posterior(arm) for arm in arms]
    return with_floor(chances_to_be_best([p[0] for p in pairs], [p[1] for p in pairs]), floor)


def _posterior(arm: Mean) -> tuple[Function, Function]:
    center, degrees = float(arm.value or 0.0), arm.n - 1
    scale = math.sqrt(float(arm.variance or 0.0) / arm.n)

    def quantile(u: Floats) -> Floats:
        return np.asarray(center + scale * stdtrit(degrees, u))

    def distribution(x: Floats) -> Floats:
        return np.asarray(stdtr(degrees, (x - center) / scale))

    return quantile, distribution
