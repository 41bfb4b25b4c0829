"""The A/A lab: past customers are divided again and again, nobody is treated, and alarms are counted.

`try_method` takes all divisions at once, for averages; `count_winners` sends each through the decision rules.
No customer and no database is known here.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from experiments.decisions import Action, Challenger, Code, Criteria, Method, Moment, decide, weigh
from experiments.stats import Mean, Proportion, Statistic, compare, false_positive_rates, plan_looks
from experiments.stats.comparison import TUNED_FOR
from experiments.stats.rules import AlwaysValid

Values = NDArray[np.float64]
Scheme = Literal["fixed", "always_valid", "group_sequential"]
Tick = Callable[[int], object]
Treat = Callable[[Values], Values]
BATCH_NUMBERS = 4_000_000  # drawn at a time: about 100 MB


@dataclass(frozen=True)
class Alarms:
    """Shares of the runs with an alarm at some look, in all and on each side; `error` is one standard error
    of `rate`. `coverage`: how often the last interval held 0, the truth."""

    method: str
    looks: int
    rate: float
    up: float
    down: float
    error: float
    coverage: float


@dataclass(frozen=True)
class Winners:
    """Shares of the runs in which the rules shipped a challenger, or chose the baseline as better."""

    method: str
    looks: int
    shipped: float
    baseline: float
    error: float

    @property
    def rate(self) -> float:
        return self.shipped + self.baseline


def try_method(
    values: Values, *, per_arm: int, runs: int, seed: int, method: Scheme, looks: int = 1,
    alpha: float = 0.05, treat: Treat | None = None, tick: Tick = lambda runs: None,
) -> Alarms:  # fmt: skip
    """Welch's test, with the bound of `method`, on every division. Shares with few successes are judged by
    score intervals, as everywhere in the product; that is slower. With `treat`, which changes the treated
    group, `up` is the power instead."""
    if len(values) < 2 or per_arm < max(2, looks):
        raise ValueError("a lab needs two customers with numbers, and at least two in each group and look")
    if (
        treat is None
        and is_share(values)
        and per_arm / looks * float(min(values.mean(), 1 - values.mean())) < 40
    ):
        found = false_positive_rates(
            values, per_arm=per_arm, runs=runs, seed=seed, alpha=alpha, method=method, looks=looks
        )
        tick(runs)
        coverage = 1.0 if found.coverage is None else found.coverage
        return Alarms(method, looks, found.rate, found.up, found.down, found.error, coverage)
    up = down = covered = 0
    sizes = [per_arm * number // looks for number in range(1, looks + 1)]
    bounds = _bounds(method, sizes, alpha)
    for control, treated in divisions(values, per_arm=per_arm, runs=runs, seed=seed):
        scores, degrees = _scores(control, treated if treat is None else treat(treated), sizes)
        tails = np.column_stack([bound(degrees[:, at]) for at, bound in enumerate(bounds)])
        crossed = np.abs(scores) > tails
        first = scores[np.arange(len(scores)), crossed.argmax(axis=1)] * crossed.any(axis=1)
        up, down = up + int((first > 0).sum()), down + int((first < 0).sum())
        covered += int((~crossed[:, -1]).sum())
        tick(len(control))
    rate = (up + down) / runs
    error = math.sqrt(rate * (1 - rate) / runs)
    return Alarms(method, looks, rate, up / runs, down / runs, error, covered / runs)


def count_winners(
    values: Values, criteria: Criteria, *, per_arm: int, runs: int, seed: int, looks: int,
    tick: Tick = lambda runs: None,
) -> Winners:  # fmt: skip
    """Each group comes in so many equal parts; the rules decide after each, until they ship or stop.

    Of a criterion with planned looks, `looks` must be their number.
    """
    shipped = kept = 0
    make = _share if is_share(values) else _mean
    for control, treated in divisions(values, per_arm=per_arm, runs=runs, seed=seed):
        for one, other in zip(control, treated, strict=True):
            for number in range(1, looks + 1):
                size = per_arm * number // looks
                sums = {criteria.metric: {criteria.baseline: make(one[:size]), "b": make(other[:size])}}
                moment = Moment(criteria.length_days * number / looks, number, number == looks)
                decision = decide(criteria, [weigh_quickly(criteria, sums, look=number)], moment=moment)
                if decision.action is not Action.GO_ON:
                    shipped += decision.action is Action.SHIP
                    kept += decision.code is Code.BASELINE_BETTER
                    break
            tick(1)
    rate = (shipped + kept) / runs
    return Winners(
        criteria.method.value, looks, shipped / runs, kept / runs, math.sqrt(rate * (1 - rate) / runs)
    )


def weigh_quickly(criteria: Criteria, sums: dict[str, dict[str, Statistic]], *, look: int) -> Challenger:
    """The same interval as `weigh` gives, without its p-value, whose search takes most of the time."""
    if criteria.look_plan is None:
        (challenger,) = weigh(criteria, sums, look=look)
        return challenger
    level = _levels(criteria.looks, criteria.alpha)[look - 1]
    one, other = sums[criteria.metric].values()
    effect = compare(one, other, alpha=level)
    if effect is not None:
        effect = replace(effect, alpha=criteria.alpha, horizon=criteria.method.value)
    return Challenger("b", effect)


@lru_cache
def _levels(looks: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    return tuple(look.level for look in plan_looks(looks, alpha=alpha).looks)


def winner_criteria(method: Method, looks: int, *, alpha: float = 0.05) -> Criteria:
    """A plan for the lab: a look a day."""
    shares = tuple((number + 1) / looks for number in range(looks)) if looks > 1 else (1.0,)
    planned = method is Method.GROUP_SEQUENTIAL
    return Criteria(
        metric="metric", direction="up", baseline="a", method=method, looks=shares if planned else (1.0,),
        length_days=float(looks), min_days=0.0, alpha=alpha,
    )  # fmt: skip


def divisions(values: Values, *, per_arm: int, runs: int, seed: int) -> Iterator[tuple[Values, Values]]:
    """Batches of divisions, each side of shape (batch, per_arm). Nobody is in a division twice, as long as
    there are enough customers."""
    rng = np.random.default_rng(seed)
    need = 2 * per_arm
    batch = max(1, BATCH_NUMBERS // max(need, len(values) if need <= len(values) else need))
    for start in range(0, runs, batch):
        size = min(batch, runs - start)
        if need > len(values):
            rows = rng.integers(0, len(values), (size, need))
        else:
            rows = np.stack([rng.choice(len(values), need, replace=False) for _ in range(size)])
        drawn = values[rows]
        yield drawn[:, :per_arm], drawn[:, per_arm:]


def is_share(values: Values) -> bool:
    return bool(np.isin(values, (0.0, 1.0)).all())


def _scores(control: Values, treated: Values, sizes: list[int]) -> tuple[Values, Values]:
    """Differences in standard errors, and Welch's degrees of freedom; shape (runs, looks)."""
    at = np.array(sizes) - 1
    n = np.array(sizes, dtype=float)
    means, spreads = [], []
    for side in (control, treated):
        sums, squares = side.cumsum(axis=1)[:, at], (side * side).cumsum(axis=1)[:, at]
        means.append(sums / n)
        less = 0 if is_share(side) else 1
        spreads.append(np.maximum(squares - sums**2 / n, 0) / (n - less) / n)
    spread = spreads[0] + spreads[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.nan_to_num((means[1] - means[0]) / np.sqrt(spread), nan=0.0)
        degrees = spread**2 / ((spreads[0] ** 2 + spreads[1] ** 2) / (n - 1))
    return scores, np.nan_to_num(degrees, nan=1.0)


def _bounds(method: Scheme, sizes: list[int], alpha: float) -> list[Callable[[Values], Values]]:
    """For each look, the bound in standard errors as a function of the degrees of freedom."""
    if method == "always_valid":
        rule = AlwaysValid(alpha, "two-sided", TUNED_FOR, alpha)
        widths = [rule.critical(math.inf, 2 * size) for size in sizes]
        return [lambda degrees, width=width: np.full(len(degrees), width) for width in widths]  # type: ignore[misc]
    tails = [alpha / 2] * len(sizes)
    if method == "group_sequential":
        tails = [float(ndtr(-look.boundary)) for look in plan_looks(len(sizes), alpha=alpha).looks]
    return [lambda degrees, tail=tail: -stdtrit(degrees, tail) for tail in tails]  # type: ignore[misc]


def _mean(numbers: Values) -> Statistic:
    return Mean(len(numbers), float(numbers.sum()), float((numbers * numbers).sum()))


def _share(numbers: Values) -> Statistic:
    return Proportion(len(numbers), int(numbers.sum()))
