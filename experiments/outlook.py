"""Before the start, from past customers' real numbers: what a test could see, and what it would take to see more.

No customer and no database is known here. The past's zeros and outliers are all in its variance; that the
normal approximation holds for them is checked by drawing groups from the past itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from experiments.decisions import Criteria, Method
from experiments.stats import plan_looks

Values = NDArray[np.float64]
FEWEST = 30  # customers with a value above zero, below which the past says too little
RESAMPLED_RUNS = 400
MOST_RESAMPLED = 4_000_000  # numbers drawn for the check
TUNED_FOR = 5000.0  # customers at which an always-valid interval is narrowest, as in experiments.stats


class Doubt(StrEnum):
    """Why there is no outlook, or little trust in it."""

    NO_HISTORY = "no_history"
    TOO_FEW = "too_few"  # fewer than FEWEST customers with a value
    NO_CUSTOMERS = "no_customers"  # a group would be empty


@dataclass(frozen=True)
class Groups:
    """How many customers each challenger and the baseline will have."""

    baseline: int
    challengers: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.baseline + sum(self.challengers)

    @property
    def spread(self) -> float:
        """Of the smallest comparison: 1/n + 1/m."""
        return 1 / self.baseline + 1 / min(self.challengers)


@dataclass(frozen=True)
class Outlook:
    """Effects are fractions of the past mean. `customers_needed` and `days_needed` are for `wanted`; the
    latter is None when no length that was looked at suffices.

    `resampled_power` is the share of groups drawn from the past in which an effect of size `detectable`,
    put in by hand, was found; None when too many numbers would have to be drawn.
    """

    mean: float
    standard_deviation: float
    share_above_zero: float
    customers: int
    detectable: float
    wanted: float
    power: float
    power_for_wanted: float
    customers_needed: int
    days_needed: float | None
    resampled_power: float | None


def look_ahead(
    values: Values, days: Sequence[float], *, criteria: Criteria, groups: Groups, seed: int = 0
) -> Outlook | Doubt:
    """`values[i, j]`: customer i's number within `days[j]` days; the test lasts as long as the nearest of them.

    Source: Lachin (1981), eq. 1, with the drift of the sequential method in place of the two quantiles.
    """
    if min(groups.baseline, *groups.challengers, 2) < 2:
        return Doubt.NO_CUSTOMERS
    if not len(values):
        return Doubt.NO_HISTORY
    at = int(np.argmin([abs(day - criteria.length_days) for day in days]))
    now = values[:, at]
    if np.count_nonzero(now) < FEWEST or not now.std():
        return Doubt.TOO_FEW
    critical, drift = demands(criteria, groups)
    detectable = _detectable(now, drift, groups)
    wanted = criteria.minimum_effect
    long_enough = [
        day
        for day, column in zip(days, values.T, strict=True)
        if day > days[at] and _detectable(column, drift, groups) <= wanted
    ]
    return Outlook(
        mean=float(now.mean()),
        standard_deviation=float(now.std(ddof=1)),
        share_above_zero=float(np.count_nonzero(now) / len(now)),
        customers=groups.total,
        detectable=detectable,
        wanted=wanted,
        power=criteria.power,
        power_for_wanted=_power(wanted / detectable * drift, critical),
        customers_needed=math.ceil(groups.total * (detectable / wanted) ** 2),
        days_needed=min(long_enough, default=None),
        resampled_power=_resample(now, detectable, critical, groups, seed),
    )


def demands(criteria: Criteria, groups: Groups) -> tuple[float, float]:
    """How many standard errors the last look asks for, and how many the effect must have on average to be
    found with the plan's power."""
    alpha = criteria.alpha / len(groups.challengers)
    if criteria.method is Method.GROUP_SEQUENTIAL and len(criteria.looks) > 1:
        plan = plan_looks(criteria.looks, alpha=alpha)
        return plan.looks[-1].boundary, plan.drift(criteria.power)
    critical = -float(ndtri(alpha / 2))
    if criteria.method is Method.ALWAYS_VALID:
        critical = _always_valid(groups.baseline + min(groups.challengers), alpha)
    return critical, critical + float(ndtri(criteria.power))


def _always_valid(n: int, alpha: float) -> float:
    """Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021), eq. 155."""
    surprise = -2 * math.log(alpha)
    rho = (surprise + math.log(surprise + 1)) / TUNED_FOR
    scale = n * rho + 1
    return math.sqrt(2 * scale / (n * rho) * math.log(math.sqrt(scale) / alpha))


def _detectable(values: Values, drift: float, groups: Groups) -> float:
    mean = float(values.mean())
    return drift * float(values.std(ddof=1)) * math.sqrt(groups.spread) / mean if mean > 0 else math.inf


def _power(shift: float, critical: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(shift - critical) + ndtr(-shift - critical))


def _resample(values: Values, effect: float, critical: float, groups: Groups, seed: int) -> float | None:
    """Groups drawn with replacement; in one of them each number is raised by `effect`, a share is raised by
    turning as many zeros into ones."""
    small, other = min(groups.challengers), groups.baseline
    runs = min(RESAMPLED_RUNS, MOST_RESAMPLED // (small + other))
    if runs < 100:
        return None
    rng = np.random.default_rng(seed)
    found = 0
    is_share = bool(np.isin(values, (0.0, 1.0)).all())
    gain = effect * float(values.mean())
    for _ in range(runs):
        control = rng.choice(values, other)
        treated = rng.choice(values, small)
        if is_share:
            zeros = treated == 0
            treated = treated + (zeros & (rng.random(small) < gain / max(float(zeros.mean()), 1e-12)))
        else:
            treated = treated * (1 + effect)
        error = math.sqrt(control.var(ddof=1) / other + treated.var(ddof=1) / small)
        found += bool(error and (treated.mean() - control.mean()) / error > critical)
    return found / runs
