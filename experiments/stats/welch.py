"""Difference of two means with unequal variances, and its relative form."""

import math

from scipy.special import stdtr, stdtrit

from experiments.stats.outcome import Outcome
from experiments.stats.sufficient import Statistic


def compare(control: Statistic, treatment: Statistic, *, tail: float) -> Outcome:
    """Both sides need two customers and one of them some variance. Source: Welch (1947)."""
    mean_c, var_c, mean_t, var_t = *_moments(control), *_moments(treatment)
    spread_c, spread_t = var_c / control.n, var_t / treatment.n
    spread = spread_c + spread_t
    degrees = spread**2 / (spread_c**2 / (control.n - 1) + spread_t**2 / (treatment.n - 1))
    error = math.sqrt(spread)
    difference = mean_t - mean_c
    critical = -float(stdtrit(degrees, tail))
    relative, relative_ci = fieller(mean_c, mean_t, spread_c, spread_t, critical)
    return Outcome(
        absolute=difference,
        absolute_ci=(difference - critical * error, difference + critical * error),
        relative=relative,
        relative_ci=relative_ci,
        control_near_zero=mean_c**2 <= critical**2 * spread_c,
        # The lower tail of −t, not 1 − cdf(t): that would be 0 below 1e-16.
        upper_tail=float(stdtr(degrees, -difference / error)),
        lower_tail=float(stdtr(degrees, difference / error)),
    )


def fieller(
    mean_c: float, mean_t: float, spread_c: float, spread_t: float, critical: float
) -> tuple[float | None, tuple[float | None, float | None] | None]:
    """The relative lift and its interval: all lifts that the data do not reject.

    A ratio r is kept when |mean_t − r·mean_c| ≤ critical·√(spread_t + r²·spread_c); at r = 1 that is the test
    of the difference, so the two never disagree. When the control's mean is not clear of zero the set has no
    end on one side or both (None). Means of opposite sign then allow no honest bound: both answers are None.
    Source: Fieller (1954); von Luxburg and Franz (2009) for the unbounded cases.
    """
    if mean_c == 0:
        return None, None
    if mean_c < 0:  # mirrored, the lift is a fraction of |control|
        lift, bounds = fieller(-mean_c, -mean_t, spread_c, spread_t, critical)
        if lift is None or bounds is None:
            return None, None
        low, high = bounds
        return -lift, (None if high is None else -high, None if low is None else -low)
    lift = mean_t / mean_c - 1
    clear_c = mean_c**2 - critical**2 * spread_c
    clear_t = mean_t**2 - critical**2 * spread_t
    inside = (mean_c * mean_t) ** 2 - clear_c * clear_t
    if clear_c > 0:
        root = math.sqrt(max(inside, 0.0))
        ends = (mean_c * mean_t - root) / clear_c, (mean_c * mean_t + root) / clear_c
        return lift, (ends[0] - 1, ends[1] - 1)
    if mean_t < 0:
        return None, None
    if clear_t <= 0:
        return lift, (None, None)
    # Written without the difference of near-equal numbers; the other end is negative, no ratio of two means
    # of one sign.
    return lift, (clear_t / (mean_c * mean_t + math.sqrt(inside)) - 1, None)


def _moments(statistic: Statistic) -> tuple[float, float]:
    mean, variance = statistic.value, statistic.variance
    if mean is None or variance is None:
        raise ValueError("at least two customers are needed")
    return mean, variance
