"""Differences and ratios put together from the limits of each side, where errors are not normal.

Serves shares of few successes (Wilson's limits), Poisson rates (score limits), quantiles (order statistics).
Difference and ratio use the same limits: at difference 0 and ratio 1 they decide alike.
Source: Newcombe (1998), method 10; Zou and Donner (2008); Donner and Zou (2012).
"""

import math
from fractions import Fraction

from scipy.optimize import brentq

from experiments.stats.outcome import Bounds, Outcome
from experiments.stats.quantile import Quantile
from experiments.stats.rules import EXACT_TAIL, Rule
from experiments.stats.sufficient import Count, Proportion

Limits = tuple[float, float]
Limited = Proportion | Count | Quantile
FAR = EXACT_TAIL


def compare(control: Limited, treatment: Limited, *, rule: Rule) -> Outcome:
    """The score is the width at which the interval just touches 0."""
    n = control.n + treatment.n
    z = rule.critical(math.inf, n)
    at_control, at_treatment = _value(control), _value(treatment)
    low, high = difference(control, treatment, z)
    relative_ci = lift(control, treatment, z)
    return Outcome(
        absolute=at_treatment - at_control,
        absolute_ci=(_finite(low), _finite(high)),
        relative=at_treatment / at_control - 1 if at_control > 0 else None,
        relative_ci=relative_ci if at_control >= 0 else None,
        control_near_zero=at_control <= 0 or (relative_ci is not None and relative_ci[1] is None),
        score=_score_touching_zero(control, treatment),
        degrees=math.inf,
        n=n,
    )


def limits(side: Limited, z: float) -> Limits:
    """Of one side, z standard errors wide; infinite where there is no limit."""
    if isinstance(side, Proportion):
        return wilson(side, z)
    return poisson_score(side, z) if isinstance(side, Count) else side.limits(z)


def wilson(share: Proportion, z: float) -> Limits:
    """Wilson (1927), without continuity correction."""
    n, p = share.n, share.successes / share.n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # Exact at the ends, where the subtraction leaves a rounding error.
    low = 0.0 if share.successes == 0 else middle - half
    high = 1.0 if share.successes == n else middle + half
    return low, high


def poisson_score(count: Count, z: float) -> Limits:
    """Rao's score interval of a Poisson rate: |x − λ| ≤ z·√λ. Source: Barker (2002), eq. 5."""
    exposure, x = float(count.exposure), count.events
    middle, half = x + z**2 / 2, z * math.sqrt(x + z**2 / 4)
    low = 0.0 if x == 0 else x**2 / (middle + half)  # middle − half, without cancellation
    return low / exposure, (middle + half) / exposure


def difference(control: Limited, treatment: Limited, z: float) -> Limits:
    at_c, at_t = _value(control), _value(treatment)
    (low_c, high_c), (low_t, high_t) = limits(control, z), limits(treatment, z)
    return (
        at_t - at_c - math.hypot(at_t - low_t, high_c - at_c),
        at_t - at_c + math.hypot(high_t - at_t, at_c - low_c),
    )


def lift(control: Limited, treatment: Limited, z: float) -> Bounds | None:
    """Limits of treatment/control − 1; None when both are 0 or one is negative."""
    at_c, at_t = _value(control), _value(treatment)
    if at_c < 0 or at_t < 0 or (at_c == 0 and at_t == 0):
        return None
    (low_c, high_c), (low_t, high_t) = limits(control, z), limits(treatment, z)
    low: float | None = None
    if low_t >= 0:
        below = low_t * (2 * at_t - low_t)
        root = math.sqrt(max((at_t * at_c) ** 2 - _times(below, high_c * (2 * at_c - high_c)), 0.0))
        low = below / (at_t * at_c + root) - 1 if below else -1.0
    if at_c == 0 or low_c <= 0:
        return low, None
    above = low_c * (2 * at_c - low_c)
    root = math.sqrt(max((at_t * at_c) ** 2 - _times(high_t * (2 * at_t - high_t), above), 0.0))
    return low, _finite((at_t * at_c + root) / above - 1)


def _score_touching_zero(control: Limited, treatment: Limited) -> float:
    """How many standard errors wide the interval must be to reach 0; the sign is that of the difference."""
    gap = _exact(treatment) - _exact(control)
    if gap == 0:
        return 0.0
    if gap < 0:
        return -_score_touching_zero(treatment, control)
    if difference(control, treatment, FAR)[0] > 0:
        return FAR
    return float(brentq(lambda z: max(difference(control, treatment, z)[0], -1e300), 0.0, FAR, xtol=1e-13))


def _exact(side: Limited) -> Fraction:
    if isinstance(side, Proportion):
        return Fraction(side.successes, side.n)
    return Fraction(side.events) / Fraction(side.exposure) if isinstance(side, Count) else side.exact_value


def _value(side: Limited) -> float:
    value = side.value
    if value is None:
        raise ValueError("a side without customers or exposure has no value")
    return value


def _times(one: float, other: float) -> float:
    return 0.0 if one == 0 or other == 0 else one * other


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
