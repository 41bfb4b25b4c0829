"""A/A: treat two groups alike many times, with customers as they really are, and count the alarms.

Formulas promise 5 %; this shows whether they keep it on rare, skewed spend, before anybody trusts them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.stats.comparison import TUNED_FOR, Method, estimate, make_rule
from experiments.stats.kinds import Statistic, obstacle
from experiments.stats.looks import Spending, plan_looks
from experiments.stats.outcome import Alternative
from experiments.stats.rules import Rule
from experiments.stats.sufficient import Mean, Proportion

Build = Callable[[NDArray[Any]], Statistic]


@dataclass(frozen=True)
class FalsePositives:
    """Shares of the runs: `up` and `down` found an effect in that direction at some look.

    `coverage` is how often the interval of the last look held the truth, None without any interval. `error`
    is one standard error of `rate`. With a `lift` the rate is the power. `unjudged` runs had no effect.
    """

    runs: int
    rate: float
    up: float
    down: float
    coverage: float | None
    error: float
    unjudged: int
    per_arm: int
    looks: int
    lift: float


def false_positive_rates(
    values: NDArray[Any],
    *,
    per_arm: int,
    runs: int = 1_000,
    seed: int = 0,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    method: Method = "fixed",
    looks: int = 1,
    spending: Spending = "obrien_fleming",
    tuned_for: float = TUNED_FOR,
    build: Build | None = None,
    lift: float = 0.0,
) -> FalsePositives:
    """`values` has one row for each past customer; `build` makes a statistic of some rows.

    Without `build`: Proportion of zeros and ones, Mean of other numbers. Groups are drawn without replacement
    where there are enough customers for two, else with it. With `looks` each group comes in so many equal
    parts. `lift` raises the treated values (the first column) by this fraction, to measure power instead.
    Raises ValueError for fewer than two customers in a group or values of no use.
    """
    if per_arm < max(2, looks) or looks < 1 or runs < 1 or len(values) < 2:
        raise ValueError("a simulation needs runs, looks, and at least two customers in each group")
    binary = values.ndim == 1 and bool(np.isin(values, (0, 1)).all())
    make = build or (_proportion if binary else _mean)
    rules = _rules(alpha, alternative, method, looks, spending, tuned_for)
    outcome = values if values.ndim == 1 else values[:, 0]
    truth = lift * float(np.mean(outcome))
    random = np.random.default_rng(seed)
    tally = _Tally()
    for _ in range(runs):
        rows = random.choice(len(values), 2 * per_arm, replace=2 * per_arm > len(values), shuffle=True)
        control, treatment = values[rows[:per_arm]], values[rows[per_arm:]]
        if lift:
            treatment = _lifted(treatment, lift, binary=binary, random=random)
        tally.run(control, treatment, rules, make, alternative, truth)
    found = (tally.up + tally.down) / runs
    return FalsePositives(
        runs=runs,
        rate=found,
        up=tally.up / runs,
        down=tally.down / runs,
        coverage=tally.covered / tally.judged if tally.judged else None,
        error=math.sqrt(found * (1 - found) / runs),
        unjudged=runs - tally.judged,
        per_arm=per_arm,
        looks=looks,
        lift=lift,
    )


@dataclass
class _Tally:
    up: int = 0
    down: int = 0
    covered: int = 0
    judged: int = 0

    def run(
        self,
        control: NDArray[Any],
        treatment: NDArray[Any],
        rules: list[Rule],
        make: Build,
        alternative: Alternative,
        truth: float,
    ) -> None:
        decided, bounds = 0, None
        for number, rule in enumerate(rules, start=1):
            size = len(control) * number // len(rules)
            one, other = make(control[:size]), make(treatment[:size])
            bounds = None
            if obstacle(one, other):
                continue
            low, high = estimate(one, other, rule).absolute_ci
            bounds = (None if alternative == "less" else low, None if alternative == "greater" else high)
            if not decided:
                decided = _direction(*bounds)
        self.up += decided > 0
        self.down += decided < 0
        if bounds is not None:
            self.judged += 1
            low, high = bounds
            self.covered += (low is None or low <= truth) and (high is None or truth <= high)


def _direction(low: float | None, high: float | None) -> int:
    if low is not None and low > 0:
        return 1
    return -1 if high is not None and high < 0 else 0


def _rules(
    alpha: float,
    alternative: Alternative,
    method: Method,
    looks: int,
    spending: Spending,
    tuned_for: float,
) -> list[Rule]:
    planned = method == "group_sequential"
    plan = plan_looks(looks, alpha=alpha, alternative=alternative, spending=spending) if planned else None
    return [
        make_rule(
            alpha=alpha,
            alternative=alternative,
            method=method,
            tuned_for=tuned_for,
            tuned_alpha=None,
            plan=plan,
            look=number if planned else None,
        )
        for number in range(1, looks + 1)
    ]


def _mean(values: NDArray[Any]) -> Mean:
    numbers = values.astype(float)
    return Mean(len(numbers), math.fsum(numbers), math.fsum(numbers * numbers))


def _proportion(values: NDArray[Any]) -> Proportion:
    return Proportion(len(values), int(values.sum()))


def _lifted(values: NDArray[Any], lift: float, *, binary: bool, random: np.random.Generator) -> NDArray[Any]:
    if not binary:
        factor = np.ones(values.shape[1:])
        factor[... if values.ndim == 1 else 0] = 1 + lift
        return np.asarray(values * factor)
    share = float(values.mean())
    drawn = random.random(len(values))
    if lift < 0:
        return np.where((values == 1) & (drawn < -lift), 0, values)
    return np.where((values == 0) & (drawn < lift * share / max(1 - share, 1e-12)), 1, values)
