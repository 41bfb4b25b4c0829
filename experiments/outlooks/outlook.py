"""Before the start, from past customers' real numbers: what a test could see, and what it takes to see more.

No customer and no database is known here. The past's zeros and outliers are all in its variance; that the
normal approximation holds for them is checked by drawing groups from the past itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from experiments.decisions import Criteria, Method
from experiments.outlooks.lab import Scheme, is_share, try_method
from experiments.stats import (
    minimum_detectable_effect,
    plan_looks,
    power,
    sample_size,
)

Values = NDArray[np.float64]
FEWEST = 30  # customers with a value above zero, below which the past says too little
MOST = 100.0  # no campaign raises anything by more
RESAMPLED_RUNS = 400
LOOKS = 20  # at which an always-valid test is taken to be looked at
MOST_RESAMPLED = 4_000_000  # numbers drawn for the check


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
    def ratio(self) -> float:
        """Of the smallest comparison: challengers for each customer of the baseline."""
        return min(self.challengers) / self.baseline


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

    @property
    def is_enough(self) -> bool:
        """Whether the wanted effect would be found with the plan's power."""
        return self.detectable <= self.wanted


def look_ahead(
    values: Values, days: Sequence[float], *, criteria: Criteria, groups: Groups, seed: int = 0
) -> Outlook | Doubt:
    """`values[i, j]` is customer i's number within `days[j]` days; the nearest of them is the test's length.

    None of these numbers is a promise about this campaign: the past is taken to go on.
    """
    if min(groups.baseline, *groups.challengers, 2) < 2:
        return Doubt.NO_CUSTOMERS
    if not len(values):
        return Doubt.NO_HISTORY
    at = int(np.argmin([abs(day - criteria.length_days) for day in days]))
    now = values[:, at]
    if np.count_nonzero(now) < FEWEST or not now.std():
        return Doubt.TOO_FEW
    wanted, mean = criteria.minimum_effect, float(now.mean())
    detectable = _detectable(now, criteria, groups)
    long_enough = [
        day
        for day, column in zip(days, values.T, strict=True)
        if day > days[at] and _detectable(column, criteria, groups) <= wanted
    ]
    design = design_of(criteria, groups)
    variance: dict[str, Any] = {
        "variance": float(now.var(ddof=1)),
        "treated_variance": _treated_variance(now, wanted),
    }
    needed = sample_size(effect=wanted * mean, power=criteria.power, **variance, **design)
    return Outlook(
        mean=mean,
        standard_deviation=float(now.std(ddof=1)),
        share_above_zero=float(np.count_nonzero(now) / len(now)),
        customers=groups.total,
        detectable=detectable,
        wanted=wanted,
        power=criteria.power,
        power_for_wanted=power(effect=wanted * mean, n_control=groups.baseline, **variance, **design),
        customers_needed=math.ceil(groups.total * needed / groups.baseline),
        days_needed=min(long_enough, default=None),
        resampled_power=_resample(now, detectable, criteria, groups, seed),
    )


def design_of(criteria: Criteria, groups: Groups) -> dict[str, Any]:
    """All challengers share the plan's error (Bonferroni)."""
    alpha = criteria.alpha / len(groups.challengers)
    looks = criteria.looks if criteria.look_plan else None
    return {
        "alpha": alpha,
        "ratio": groups.ratio,
        "method": criteria.method.value,
        "plan": None if looks is None else plan_looks(looks, alpha=alpha),
    }


def _detectable(values: Values, criteria: Criteria, groups: Groups) -> float:
    """The smallest rise that is found; infinite when its own spread outgrows every rise."""
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    if not (mean > 0 and variance > 0):
        return math.inf
    design = design_of(criteria, groups)

    def excess(rise: float) -> float:
        needed = minimum_detectable_effect(
            variance=variance, treated_variance=_treated_variance(values, rise),
            n_control=groups.baseline, power=criteria.power, **design,
        )  # fmt: skip
        return rise * mean - needed

    acting = np.count_nonzero(values) / len(values)
    most = MOST if _is_habit(values) else min(1 / acting - 1, MOST)
    if most <= 0 or excess(most) <= 0:
        return math.inf
    return float(brentq(excess, 0.0, most, xtol=1e-6))


def _treated_variance(values: Values, rise: float) -> float:
    """When so many more customers act, each as past ones did; of a habit, when each does more."""
    mean, square = float(values.mean()), float((values * values).mean())
    if _is_habit(values):
        return float(values.var(ddof=1)) * (1 + rise) ** 2
    return max(square * (1 + rise) - (mean * (1 + rise)) ** 2, 0.0)


def _is_habit(values: Values) -> bool:
    """Whether most customers act anyhow, so that there is little room for more to act."""
    return float(np.count_nonzero(values) / len(values)) > 0.5 and not is_share(values)


def _resample(values: Values, effect: float, criteria: Criteria, groups: Groups, seed: int) -> float | None:
    """How often the effect, put into groups drawn from the past, is found by the plan."""
    size = min(groups.baseline, *groups.challengers)
    runs = min(RESAMPLED_RUNS, MOST_RESAMPLED // (2 * size))
    looks = LOOKS if criteria.method is Method.ALWAYS_VALID else len(criteria.looks)
    if runs < 100 or size < 2 * looks or not math.isfinite(effect):
        return None
    rng = np.random.default_rng(seed)
    acting = values[values != 0]

    def treat(numbers: Values) -> Values:
        if _is_habit(values):
            return numbers * (1 + effect)
        chance = effect * len(acting) / (len(values) - len(acting))
        more = (numbers == 0) & (rng.random(numbers.shape) < chance)
        return np.where(more, rng.choice(acting, numbers.shape), numbers)

    alpha = criteria.alpha / len(groups.challengers)
    method: Scheme = criteria.method.value
    found = try_method(
        values, per_arm=size, runs=runs, seed=seed, method=method, looks=looks, alpha=alpha, treat=treat
    )
    return found.up
