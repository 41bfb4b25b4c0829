"""Beta and gamma posteriors of two sides, and exact answers about their difference and quotient.

Integrals over the control run over its normal scores v, x = F⁻¹(Φ(v)): smooth and fast to vanish, so that the
plain trapezoid rule is good to about twelve digits.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import betainc, betaincc, betaincinv, gammainc, gammaincc, gammainccinv, gammaincinv, ndtr

from experiments.stats.columns import Array
from experiments.stats.sufficient import Count, Proportion

SCORES = np.linspace(-8.3, 8.3, 700)
WEIGHTS = np.exp(-(SCORES**2) / 2) / np.sqrt(2 * np.pi) * (SCORES[1] - SCORES[0])


class Posterior(Protocol):
    @property
    def mean(self) -> float: ...

    def below(self, x: Array) -> Array:
        """The chance of less than x."""

    def above(self, x: Array) -> Array: ...

    def mean_below(self, x: Array) -> Array:
        """The part of the mean that lies below x."""

    def points(self) -> Array:
        """The values at SCORES."""


@dataclass(frozen=True)
class BetaPosterior:
    a: float
    b: float

    @classmethod
    def of(cls, share: Proportion, successes: float, failures: float) -> "BetaPosterior":
        if successes <= 0 or failures <= 0:
            raise ValueError("a beta prior needs positive numbers")
        return cls(share.successes + successes, share.n - share.successes + failures)

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    def below(self, x: Array) -> Array:
        return np.asarray(betainc(self.a, self.b, np.clip(x, 0, 1)))

    def above(self, x: Array) -> Array:
        return np.asarray(betaincc(self.a, self.b, np.clip(x, 0, 1)))

    def mean_below(self, x: Array) -> Array:
        return np.asarray(self.mean * betainc(self.a + 1, self.b, np.clip(x, 0, 1)))

    def points(self) -> Array:
        lower = betaincinv(self.a, self.b, ndtr(SCORES))
        upper = 1 - betaincinv(self.b, self.a, ndtr(-SCORES))
        return np.asarray(np.where(SCORES < 0, lower, upper))


@dataclass(frozen=True)
class GammaPosterior:
    shape: float
    exposure: float

    @classmethod
    def of(cls, count: Count, events: float, exposure: float) -> "GammaPosterior":
        if events <= 0 or exposure < 0:
            raise ValueError("a gamma prior needs positive events, and an exposure that is not negative")
        return cls(count.events + events, float(count.exposure) + exposure)

    @property
    def mean(self) -> float:
        return self.shape / self.exposure

    def below(self, x: Array) -> Array:
        return np.asarray(gammainc(self.shape, np.maximum(x, 0) * self.exposure))

    def above(self, x: Array) -> Array:
        return np.asarray(gammaincc(self.shape, np.maximum(x, 0) * self.exposure))

    def mean_below(self, x: Array) -> Array:
        return np.asarray(self.mean * gammainc(self.shape + 1, np.maximum(x, 0) * self.exposure))

    def points(self) -> Array:
        lower = gammaincinv(self.shape, ndtr(SCORES))
        upper = gammainccinv(self.shape, ndtr(-SCORES))
        return np.asarray(np.where(SCORES < 0, lower, upper) / self.exposure)


class Pair:
    """Control and treatment, independent of each other."""

    def __init__(self, control: Posterior, treatment: Posterior) -> None:
        self.control, self.treatment = control, treatment
        self.at = control.points()

    @property
    def mean_difference(self) -> float:
        return self.treatment.mean - self.control.mean

    def chance_above(self) -> float:
        return min(float(WEIGHTS @ self.treatment.above(self.at)), 1.0)

    def gain_and_loss(self) -> tuple[float, float]:
        """The means of max(treatment − control, 0) and of max(control − treatment, 0)."""
        short = self.at * self.treatment.below(self.at) - self.treatment.mean_below(self.at)
        loss = max(float(WEIGHTS @ np.maximum(short, 0)), 0.0)
        return max(loss + self.mean_difference, 0.0), loss

    def chance_difference_below(self, gap: float) -> float:
        return float(WEIGHTS @ self.treatment.below(self.at + gap))

    def chance_lift_below(self, lift: float) -> float:
        return float(WEIGHTS @ self.treatment.below(self.at * (1 + lift)))
