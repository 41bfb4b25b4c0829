"""What an offer earns beyond doing nothing, for customers who differ: a linear model of either side.

For features x the gain has the posterior N(xᵀ(μ₁ − μ₀), σ₁² xᵀB₁⁻¹x + σ₀² xᵀB₀⁻¹x), B = ridge·I + Σxxᵀ and
μ = B⁻¹Σxr of those who were given the offer (1) and of its control (0), σ² their residual variance. Within an
offer the control is drawn by hash, whatever x is: the difference is causal where the model is right.
Source: Agrawal and Goyal (2013), ICML; here with two arms to an offer.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from experiments.bandits.best_chance import Floats
from experiments.bandits.incremental import LEAST
from experiments.bandits.linear_thompson import LinearArm

# A prior of ten residual deviations: what is well measured is hardly drawn to nought.
RIDGE = 0.01
Z95 = 1.959963984540054


@dataclass(frozen=True)
class LocalGain:
    """A normal posterior of the gain for one kind of customer."""

    value: float
    deviation: float
    customers: int
    is_evidence: bool = True

    @property
    def interval(self) -> tuple[float, float]:
        """95 %."""
        return self.value - Z95 * self.deviation, self.value + Z95 * self.deviation

    def quantile(self, u: Floats) -> Floats:
        return np.asarray(self.value + self.deviation * ndtri(u), dtype=np.float64)

    def distribution(self, x: Floats) -> Floats:
        return np.asarray(ndtr((x - self.value) / self.deviation), dtype=np.float64)


@dataclass(frozen=True)
class LinearGain:
    """Sums over those who were given the offer and over its control; the first feature is 1."""

    treated: LinearArm
    control: LinearArm

    @property
    def is_enough(self) -> bool:
        """LEAST customers to each column on either side: with fewer the model follows chance."""
        return min(self.treated.n, self.control.n) >= LEAST * len(self.treated.xr)

    def at(self, x: Floats) -> LocalGain:
        (mean_1, inverse_1, noise_1), (mean_0, inverse_0, noise_0) = self._sides
        spread = noise_1 * float(x @ inverse_1 @ x) + noise_0 * float(x @ inverse_0 @ x)
        value = float(x @ (mean_1 - mean_0))
        return LocalGain(value, math.sqrt(max(spread, 1e-18)), self.treated.n + self.control.n)

    def contributions(self, x: Floats) -> Floats:
        """What each feature adds to the gain, beside a customer of average features; 0 for the first."""
        (mean_1, *_), (mean_0, *_) = self._sides
        both = self.treated + self.control
        average = both.xx[0] / max(both.xx[0, 0], 1.0)
        return np.asarray((x - average) * (mean_1 - mean_0), dtype=np.float64)

    @cached_property
    def _sides(self) -> tuple[tuple[Floats, Floats, float], tuple[Floats, Floats, float]]:
        return _solved(self.treated), _solved(self.control)


def _solved(arm: LinearArm) -> tuple[Floats, Floats, float]:
    """Coefficients, B⁻¹ and residual variance."""
    inverse = np.asarray(np.linalg.inv(RIDGE * np.eye(len(arm.xr)) + arm.xx), dtype=np.float64)
    mean = inverse @ arm.xr
    squares = arm.rr - 2 * float(mean @ arm.xr) + float(mean @ arm.xx @ mean)
    return mean, inverse, max(squares, 0.0) / max(arm.n - len(arm.xr), 1)
