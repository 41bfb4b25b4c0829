"""How wide an interval must be for its promise: looked at once, at planned looks, or at any time.

A rule knows the width in standard errors, and the p-value of so many standard errors. Every estimate takes
both from the same rule; so interval and p-value decide alike.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from experiments.stats.looks import LookPlan, boundary, repeated_p_value
from experiments.stats.outcome import Alternative

EXACT_TAIL = 37.0  # standard errors; beyond, the normal tail is 0 in double precision


class Rule(Protocol):
    alternative: Alternative

    def critical(self, degrees: float, n: int) -> float:
        """Half the width in standard errors, with n customers in both groups."""

    def p_value(self, score: float, degrees: float, n: int) -> float:
        """Of a difference of `score` standard errors."""


@dataclass(frozen=True)
class Fixed:
    """One look, at a time that was fixed before. Source: Student's t with Welch's degrees of freedom."""

    alpha: float
    alternative: Alternative

    def critical(self, degrees: float, n: int) -> float:
        tail = self.alpha / 2 if self.alternative == "two-sided" else self.alpha
        return -_t_quantile(degrees, tail)

    def p_value(self, score: float, degrees: float, n: int) -> float:
        # The lower tail of −t, not 1 − cdf(t): that would be 0 below 1e-16.
        if self.alternative == "greater":
            return _t_tail(degrees, -score)
        if self.alternative == "less":
            return _t_tail(degrees, score)
        return min(1.0, 2 * _t_tail(degrees, -abs(score)))


@dataclass(frozen=True)
class AlwaysValid:
    """Any number of looks, at any time: a confidence sequence by the normal mixture.

    `tuned_for` is the number of customers in both groups at which the interval shall be narrowest,
    `tuned_alpha` the level it is tuned for. Neither touches the promise, but both are chosen before the
    first look.
    Source: Robbins (1970); Howard, Ramdas, McAuliffe and Sekhon (2021), eq. 14; Waudby-Smith, Arbour, Sinha,
    Kennedy and Ramdas (2021), eq. 9 and 155.
    """

    alpha: float
    alternative: Alternative
    tuned_for: float
    tuned_alpha: float

    @property
    def rho_squared(self) -> float:
        level = self.tuned_alpha if self.alternative == "two-sided" else 2 * self.tuned_alpha
        surprise = -2 * math.log(level)
        return (surprise + math.log(surprise + 1)) / self.tuned_for

    def critical(self, degrees: float, n: int) -> float:
        scale = n * self.rho_squared + 1
        if self.alternative == "two-sided":
            evidence = math.log(math.sqrt(scale) / self.alpha)
        else:
            evidence = math.log1p(math.sqrt(scale) / (2 * self.alpha))
        return math.sqrt(2 * scale / (n * self.rho_squared) * evidence)

    def p_value(self, score: float, degrees: float, n: int) -> float:
        """The level at which the interval would just touch 0, so one value serves every alpha."""
        scale = n * self.rho_squared + 1
        evidence = score**2 * n * self.rho_squared / (2 * scale)
        if self.alternative == "two-sided":
            return min(1.0, math.sqrt(scale) * math.exp(-evidence))
        if (score > 0) != (self.alternative == "greater") or score == 0:
            return 1.0
        # √scale / (2·(e^x − 1)), without overflow for large x.
        return min(1.0, math.sqrt(scale) / 2 * math.exp(-evidence) / -math.expm1(-evidence))


@dataclass(frozen=True)
class PlannedLook:
    """One of the looks of a plan: a repeated confidence interval and its p-value.

    The normal boundary becomes one of t at the same tail (Jennison and Turnbull 2000, section 4.4). Source of
    the interval: Jennison and Turnbull (1989), JRSS B 51.
    """

    alpha: float
    alternative: Alternative
    plan: LookPlan
    look: int

    def critical(self, degrees: float, n: int) -> float:
        return -_t_quantile(degrees, float(ndtr(-boundary(self.plan, self.look, alpha=self.alpha))))

    def p_value(self, score: float, degrees: float, n: int) -> float:
        toward = -score if self.alternative == "less" else score
        size = abs(score) if self.alternative == "two-sided" else toward
        tail = _t_tail(degrees, -size)
        # Beyond the reach of doubles the tail itself is not told from 0.
        normal = min(-float(ndtri(tail)), EXACT_TAIL) if tail > 0 else EXACT_TAIL
        return repeated_p_value(self.plan, self.look, normal)


def _t_quantile(degrees: float, tail: float) -> float:
    return float(ndtri(tail)) if math.isinf(degrees) else float(stdtrit(degrees, tail))


def _t_tail(degrees: float, score: float) -> float:
    return float(ndtr(score)) if math.isinf(degrees) else float(stdtr(degrees, score))
