"""Two shares of few successes: score intervals instead of the normal approximation."""

import math

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from experiments.stats.outcome import Outcome
from experiments.stats.sufficient import Proportion

Limits = tuple[float, float]
FAR = 100.0  # standard errors; the tail there is 0 in double precision


def compare(control: Proportion, treatment: Proportion, *, tail: float) -> Outcome:
    """Difference by method 10 of Newcombe (1998), ratio by MOVER of Donner and Zou (2012).

    Both put the same two Wilson intervals together, so at ratio 1 and difference 0 they decide alike. The
    p-value is the level at which the interval just touches 0.
    """
    z = -float(ndtri(tail))
    p_c, p_t = control.successes / control.n, treatment.successes / treatment.n
    at_zero = _z_touching_zero(control, treatment)
    return Outcome(
        absolute=p_t - p_c,
        absolute_ci=difference(control, treatment, z),
        relative=p_t / p_c - 1 if p_c else None,
        relative_ci=lift(control, treatment, z),
        control_near_zero=p_c == 0,
        upper_tail=float(ndtr(-at_zero)),
        lower_tail=float(ndtr(at_zero)),
    )


def wilson(share: Proportion, z: float) -> Limits:
    """Wilson (1927) limits of one share, without continuity correction."""
    n, p = share.n, share.successes / share.n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # Exact at the ends, where the subtraction leaves a rounding error.
    low = 0.0 if share.successes == 0 else middle - half
    high = 1.0 if share.successes == n else middle + half
    return low, high


def difference(control: Proportion, treatment: Proportion, z: float) -> Limits:
    p_c, p_t = control.successes / control.n, treatment.successes / treatment.n
    (low_c, high_c), (low_t, high_t) = wilson(control, z), wilson(treatment, z)
    return (
        p_t - p_c - math.hypot(p_t - low_t, high_c - p_c),
        p_t - p_c + math.hypot(high_t - p_t, p_c - low_c),
    )


def lift(control: Proportion, treatment: Proportion, z: float) -> tuple[float | None, float | None] | None:
    """Limits of treatment/control − 1; None when nobody on either side did it."""
    p_c, p_t = control.successes / control.n, treatment.successes / treatment.n
    if p_c == 0 and p_t == 0:
        return None
    (low_c, high_c), (low_t, high_t) = wilson(control, z), wilson(treatment, z)
    below = low_t * (2 * p_t - low_t)
    root = math.sqrt(max((p_t * p_c) ** 2 - below * high_c * (2 * p_c - high_c), 0.0))
    low = below / (p_t * p_c + root) - 1 if below else -1.0
    if p_c == 0:
        return low, None
    above = low_c * (2 * p_c - low_c)
    root = math.sqrt(max((p_t * p_c) ** 2 - high_t * (2 * p_t - high_t) * above, 0.0))
    return low, (p_t * p_c + root) / above - 1


def _z_touching_zero(control: Proportion, treatment: Proportion) -> float:
    """How many standard errors wide the interval must be to reach 0; the sign is that of the difference."""
    gap = treatment.successes * control.n - control.successes * treatment.n
    if gap == 0:
        return 0.0
    if gap < 0:
        return -_z_touching_zero(treatment, control)
    if difference(control, treatment, FAR)[0] > 0:
        return FAR
    return float(brentq(lambda z: difference(control, treatment, z)[0], 0.0, FAR, xtol=1e-13, rtol=1e-14))
