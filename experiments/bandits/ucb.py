"""Upper confidence bounds: the arm that could still be the best. For rewards between 0 and 1."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from experiments.bandits.best_chance import Floats
from experiments.bandits.exploration import with_floor
from experiments.stats import Mean, Proportion

Reward = Mean | Proportion


def ucb1_chances(arms: Sequence[Reward], *, floor: float = 0.0) -> Floats:
    """Mean + √(2 ln t / n). Source: Auer, Cesa-Bianchi and Fischer (2002), Machine Learning 47, figure 1."""
    return _chances(arms, _ucb1, floor)


def ucb_tuned_chances(arms: Sequence[Reward], *, floor: float = 0.0) -> Floats:
    """Mean + √(ln t / n · min(¼, variance + √(2 ln t / n))). Source: Auer et al. (2002), section 4."""
    return _chances(arms, _ucb_tuned, floor)


def _ucb1(arm: Reward, log_t: float) -> float:
    return float(arm.value or 0.0) + math.sqrt(2 * log_t / arm.n)


def _ucb_tuned(arm: Reward, log_t: float) -> float:
    # With n in the denominator, as in the paper.
    variance = float(arm.variance or 0.0)
    if isinstance(arm, Mean):
        variance *= (arm.n - 1) / arm.n
    bound = variance + math.sqrt(2 * log_t / arm.n)
    return float(arm.value or 0.0) + math.sqrt(log_t / arm.n * min(0.25, bound))


def _chances(arms: Sequence[Reward], index: Callable[[Reward, float], float], floor: float) -> Floats:
    """All of it on the arm with the largest index, in equal parts on equals; first on those nobody saw."""
    _check(arms)
    log_t = math.log(max(1, sum(arm.n for arm in arms)))
    indices = np.array([index(arm, log_t) if arm.n else math.inf for arm in arms])
    best = (indices == indices.max()).astype(np.float64)
    return with_floor(best / best.sum(), floor)


def _check(arms: Sequence[Reward]) -> None:
    for arm in arms:
        if isinstance(arm, Proportion) or not arm.n:
            continue
        # Rewards between 0 and 1 have squares no larger than themselves.
        if arm.sum < 0 or float(arm.sum_squares) > float(arm.sum) * (1 + 1e-9):
            raise ValueError("upper confidence bounds need rewards between 0 and 1: divide by their cap")
