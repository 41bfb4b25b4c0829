"""A mean with its interval, from what each decision contributes to it."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from experiments.off_policy.log import Floats


@dataclass(frozen=True)
class Estimate:
    """`over_logged` is the difference to what was really earned per decision, from the same decisions."""

    value: float
    ci: tuple[float, float]
    over_logged: float
    over_logged_ci: tuple[float, float]


def mean_of(contributions: Floats, rewards: Floats, *, alpha: float = 0.05) -> Estimate:
    """Normal interval (central limit theorem): it needs many decisions that count, see the gate."""
    value, ci = _interval(contributions, alpha)
    over, over_ci = _interval(contributions - rewards, alpha)
    return Estimate(value, ci, over, over_ci)


def _interval(values: Floats, alpha: float) -> tuple[float, tuple[float, float]]:
    mean = float(values.mean())
    half = -float(ndtri(alpha / 2)) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean, (mean - half, mean + half)
