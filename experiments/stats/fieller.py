"""The relative lift: all lifts that the data do not reject, so that it never contradicts the difference."""

import math

from experiments.stats.outcome import Bounds


def fieller(
    difference: float,
    base: float,
    *,
    spread: float,
    spread_base: float,
    covariance: float,
    critical: float,
) -> tuple[float | None, Bounds | None]:
    """The lift difference/|base| and its interval.

    A lift r is kept when |difference − r·base| ≤ critical·√(spread − 2r·covariance + r²·spread_base). At
    r = 0 that is the test of the difference itself. When the base is not clear of zero the set has no end on
    one side or both (None). A treatment of opposite sign then allows no honest bound: both answers are None.
    Source: Fieller (1954); von Luxburg and Franz (2009) for the unbounded cases.
    """
    if base == 0:
        return None, None
    if base < 0:  # mirrored, the lift is a fraction of |base|
        lift, bounds = fieller(
            -difference,
            -base,
            spread=spread,
            spread_base=spread_base,
            covariance=covariance,
            critical=critical,
        )
        if lift is None or bounds is None:
            return None, None
        return -lift, (_negative(bounds[1]), _negative(bounds[0]))
    # Kept are the r with clear·r² − 2·middle·r + outer ≤ 0; the difference is significant when outer > 0.
    clear = base**2 - critical**2 * spread_base
    middle = difference * base - critical**2 * covariance
    outer = difference**2 - critical**2 * spread
    lift = difference / base
    if clear > 0:
        return lift, _roots(clear, middle, outer)
    if difference + base < 0:
        return None, None
    below, above = _roots(clear, middle, outer)
    if outer > 0:  # 0 lies in the gap; the branch with the estimate is the one of a positive treatment
        return lift, (above, None) if difference > 0 else (None, below)
    # Is a treatment of 0 (r = −1) rejected? Then the ratio has a lower end.
    rejected = clear + 2 * middle + outer > 0
    return lift, (above if rejected else None, None)


def _roots(clear: float, middle: float, outer: float) -> tuple[float | None, float | None]:
    """In ascending order, without the difference of near-equal numbers; None where there is none."""
    root = math.sqrt(max(middle**2 - clear * outer, 0.0))
    far = middle + math.copysign(root, middle)
    if far == 0:
        return 0.0, 0.0
    near = outer / far
    if clear == 0:
        return (None, near) if middle > 0 else (near, None)
    ends = sorted((far / clear, near))
    return ends[0], ends[1]


def _negative(bound: float | None) -> float | None:
    return None if bound is None else -bound
