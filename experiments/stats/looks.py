"""Looks planned before the start, for campaigns that are sent in batches: how sure must one be at each?

The allowed chance of a false claim is spent over the looks: little at first, all of it at the end. Less is
paid than for looks at any time, because the number of looks is known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from experiments.stats.crossing import FAR, Walk, crossing_chances, nodes_for
from experiments.stats.outcome import Alternative, check_alpha, check_alternative

Spending = Literal["obrien_fleming", "pocock", "quadratic"]
LEAST_LEVEL = 1e-300
MOST_LEVEL = math.log1p(-1e-9)


@dataclass(frozen=True)
class Look:
    """`share` is how much of the planned information (customers, mostly) is in by then.

    An effect is found when its score exceeds `boundary` standard errors; `level` is the plain p-value that
    amounts to, `spent` the chance of a false claim up to and including this look.
    """

    number: int
    share: float
    spent: float
    boundary: float
    level: float


@dataclass(frozen=True)
class LookPlan:
    """`shares` decide how much is spent; `information` is what was really gathered, in any unit."""

    shares: tuple[float, ...]
    information: tuple[float, ...]
    alpha: float
    spending: Spending
    alternative: Alternative

    @property
    def looks(self) -> tuple[Look, ...]:
        sides = 2 if self.alternative == "two-sided" else 1
        return tuple(
            Look(number, share, spend(self.spending, self.alpha, share), bound, sides * float(ndtr(-bound)))
            for number, (share, bound) in enumerate(
                zip(self.shares, boundaries(self, alpha=self.alpha), strict=True), start=1
            )
        )

    def power(self, drift: float) -> float:
        """The chance to find, at some look, an effect whose score at the end is `drift` on average."""
        last = self.information[-1]
        chances = crossing_chances(
            boundaries(self, alpha=self.alpha),
            [part / last for part in self.information],
            two_sided=self.alternative == "two-sided",
            drift=abs(drift),
        )
        return min(sum(chances), 1.0)

    def drift(self, power: float) -> float:
        """The mean final score that is found with this chance."""
        return float(brentq(lambda drift: self.power(drift) - power, 1e-6, 40.0, xtol=1e-9))


def plan_looks(
    looks: int | Sequence[float],
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    spending: Spending = "obrien_fleming",
    information: Sequence[float] | None = None,
) -> LookPlan:
    """A plan of so many equal looks, or of looks at these shares of the whole (rising, the last 1).

    `spending`: "obrien_fleming" stops early only for very large effects and keeps nearly the whole power;
    "pocock" stops as readily at every look; "quadratic" (α·t²) lies between. Once looks are past, plan again
    with the `information` really gathered: bounds of past looks do not change by it.
    Source: Lan and DeMets (1983), section 2; DeMets and Lan (1994); Kim and DeMets (1987) for α·t².
    """
    check_alpha(alpha)
    check_alternative(alternative)
    if spending not in ("obrien_fleming", "pocock", "quadratic"):
        raise ValueError(f"unknown way of spending: {spending}")
    if isinstance(looks, int):
        if looks < 1:
            raise ValueError("a plan has at least one look")
        shares = tuple(number / looks for number in range(1, looks + 1))
    else:
        shares = tuple(float(share) for share in looks)
    gathered = shares if information is None else tuple(float(part) for part in information)
    if len(gathered) != len(shares):
        raise ValueError("information of every look is needed")
    for series in (shares, gathered):
        if any(later <= earlier for earlier, later in zip((0.0, *series), series, strict=False)):
            raise ValueError("looks must come one after the other, each with more information")
    if shares[-1] > 1:
        raise ValueError("shares of the whole do not exceed 1")
    return LookPlan(shares, gathered, alpha, spending, alternative)


def spend(spending: Spending, alpha: float, share: float) -> float:
    """The chance of a false claim that may be used up by then."""
    if spending == "pocock":
        return min(alpha * math.log1p((math.e - 1) * share), alpha)
    if spending == "quadratic":
        return alpha * share**2
    return 2 * float(ndtr(float(ndtri(alpha / 2)) / math.sqrt(share)))


def boundaries(plan: LookPlan, *, alpha: float) -> tuple[float, ...]:
    """In standard errors, one for each look."""
    return _boundaries(plan.spending, plan.shares, plan.information, alpha, plan.alternative == "two-sided")


def boundary(plan: LookPlan, look: int, *, alpha: float) -> float:
    """Of the look with this number, counted from 1. Later looks do not matter for it."""
    _check_look(plan, look)
    shares, information = plan.shares[:look], plan.information[:look]
    return _boundaries(plan.spending, shares, information, alpha, plan.alternative == "two-sided")[-1]


@lru_cache(maxsize=4096)
def _boundaries(
    spending: Spending,
    shares: tuple[float, ...],
    information: tuple[float, ...],
    alpha: float,
    two_sided: bool,
) -> tuple[float, ...]:
    walk = Walk(two_sided=two_sided, nodes=nodes_for(information))
    spent, bounds = 0.0, []
    for number, (share, at) in enumerate(zip(shares, information, strict=True), start=1):
        allowed = spend(spending, alpha, share)
        bound = walk.bound_for(max(allowed - spent, 0.0), at) if allowed > spent else FAR
        bounds.append(bound)
        spent = allowed
        if number < len(shares):
            walk.go_on(bound, at)
    return tuple(bounds)


@lru_cache(maxsize=4096)
def repeated_p_value(plan: LookPlan, look: int, score: float) -> float:
    """The smallest level at which this look, planned in the same way, would have found the effect.

    Below 1e-15, where integration cannot tell, it is the plain p-value.
    Source: Jennison and Turnbull (2000), section 9.2.
    """
    _check_look(plan, look)

    def room(log_level: float) -> float:
        return score - boundary(plan, look, alpha=math.exp(log_level))

    # No look may claim more often than all together: the plain p-value is the least possible.
    sides = 2 if plan.alternative == "two-sided" else 1
    low = math.log(max(sides * float(ndtr(-score)), LEAST_LEVEL)) - 1e-9
    if low >= MOST_LEVEL or room(MOST_LEVEL) <= 0:
        return 1.0
    if room(low) >= 0:
        return math.exp(low)
    return math.exp(float(brentq(room, low, MOST_LEVEL, xtol=1e-10, rtol=1e-12)))


def _check_look(plan: LookPlan, look: int) -> None:
    if not 1 <= look <= len(plan.shares):
        raise ValueError(f"the plan has {len(plan.shares)} looks, counted from 1")
