"""What all campaigns together earned, against the customers who were kept out of everything. Pure.

Weekly sums go in. Each holds what the week added to the sums over customers of their running totals, so that
weeks add up to exact sums per customer: a customer's good week and bad week are not taken for two customers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from experiments.stats import Effect, Mean, compare


@dataclass(frozen=True)
class WeekSums:
    """`n` customers who came in this week; change of Σy and of Σy², y being a customer's total so far."""

    n: int = 0
    sum: Decimal = Decimal(0)
    sum_squares: Decimal = Decimal(0)

    def __add__(self, other: "WeekSums") -> "WeekSums":
        return WeekSums(self.n + other.n, self.sum + other.sum, self.sum_squares + other.sum_squares)


@dataclass(frozen=True)
class Week:
    """One week: revenue of those who may get messages and of the holdout, messages sent, what they cost."""

    starts_on: date
    reached: WeekSums
    held_out: WeekSums
    messages: int = 0
    cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class Amount:
    """In the shop's currency. A bound is None where the interval has no end."""

    value: float
    ci: tuple[float | None, float | None]

    def times(self, factor: float, *, less: float = 0.0) -> "Amount":
        low, high = (None if bound is None else bound * factor - less for bound in self.ci)
        return Amount(self.value * factor - less, (low, high))


@dataclass(frozen=True)
class LongRun:
    """From the first week to the end of this one. `effect` is per customer; the totals are None when nothing
    can be compared, those per thousand also before the first message. `sums` are those of the held out and of
    the others.
    """

    until_week: date
    effect: Effect | None
    revenue: Amount | None
    profit: Amount | None
    revenue_per_thousand: Amount | None
    profit_per_thousand: Amount | None
    customers: int
    held_out: int
    messages: int
    cost: float
    sums: tuple[Mean, Mean]


def cumulate(weeks: Sequence[Week], *, margin: float = 1.0, alpha: float = 0.05) -> list[LongRun]:
    """One entry per week, each over all weeks so far.

    Incremental revenue is the difference of the means times the customers who may get messages; profit is
    `margin` of it less the cost of sending. Costs are known, so only revenue brings uncertainty.
    Raises ValueError for a margin outside (0, 1], or weeks out of order.
    """
    if not 0 < margin <= 1:
        raise ValueError("margin is the share of revenue that is left, above 0 and at most 1")
    if any(later.starts_on <= earlier.starts_on for earlier, later in pairwise(weeks)):
        raise ValueError("weeks must be in order")
    found: list[LongRun] = []
    reached, held, messages, cost = WeekSums(), WeekSums(), 0, Decimal(0)
    for week in weeks:
        reached, held = reached + week.reached, held + week.held_out
        messages, cost = messages + week.messages, cost + week.cost
        found.append(_sum_up(week.starts_on, reached, held, messages, float(cost), margin, alpha))
    return found


def _sum_up(
    week: date, reached: WeekSums, held: WeekSums, messages: int, cost: float, margin: float, alpha: float
) -> LongRun:
    sums = _mean(held), _mean(reached)
    effect = compare(*sums, alpha=alpha)
    revenue = Amount(effect.absolute, effect.absolute_ci).times(reached.n) if effect else None
    profit = revenue.times(margin, less=cost) if revenue else None
    thousandth = 1000 / messages if messages else None
    return LongRun(
        until_week=week,
        effect=effect,
        revenue=revenue,
        profit=profit,
        revenue_per_thousand=revenue.times(thousandth) if revenue and thousandth else None,
        profit_per_thousand=profit.times(thousandth) if profit and thousandth else None,
        customers=reached.n,
        held_out=held.n,
        messages=messages,
        cost=cost,
        sums=sums,
    )


def _mean(sums: WeekSums) -> Mean:
    return Mean(sums.n, sums.sum, sums.sum_squares)
