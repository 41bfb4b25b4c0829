"""Thompson sampling for yes or no."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import betainc, betaincinv

from experiments.bandits.best_chance import Floats, chances_to_be_best
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
    chances = chances_to_be_best(
        [_curve(betaincinv, a, b) for a, b in shapes], [_curve(betainc, a, b) for a, b in shapes]
    )
    return with_floor(chances, floor)


def _curve(function: Any, a: float, b: float) -> Callable[[Floats], Floats]:
    return lambda x: np.asarray(function(a, b, x), dtype=np.float64)
