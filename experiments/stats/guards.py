"""What must be true for an effect to be trusted; each guard answers plainly and decides nothing itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from scipy.special import ndtr, ndtri

from experiments.stats.comparison import Effect, compare
from experiments.stats.contrast import contrast
from experiments.stats.kinds import Statistic, obstacle, plain_of
from experiments.stats.mover import wilson
from experiments.stats.outcome import Bounds, check_alpha
from experiments.stats.quantile import Quantile
from experiments.stats.ratio import Ratio
from experiments.stats.sample_ratio import SampleRatio, sample_ratio
from experiments.stats.sufficient import Count, Mean, Proportion

ENOUGH = 10
SHARE_SEEN_TWICE = 0.01


def sample_ratio_by_stage(
    stages: Mapping[str, Sequence[int | None]], weights: Sequence[float]
) -> dict[str, SampleRatio | None]:
    """The division of customers at each stage (assigned, sent, delivered), in the given order.

    None stands for a variant that cannot reach the stage: nothing is sent to a control. A stage with fewer
    than two variants left is None. The first stage with a mismatch is where to look for the cause.
    """
    found: dict[str, SampleRatio | None] = {}
    for stage, counts in stages.items():
        pairs = [(count, weight) for count, weight in zip(counts, weights, strict=True) if count is not None]
        found[stage] = sample_ratio([count for count, _ in pairs], [weight for _, weight in pairs])
    return found


@dataclass(frozen=True)
class DenominatorCheck:
    """`moved`: the treatment changed what the ratio divides by, as `effect` shows.

    "Spend per visitor" falls when a campaign brings in visitors who would not have come: such a ratio must
    not decide. `effect` is None when it cannot be computed; then nothing is known and `moved` is False.
    """

    effect: Effect | None
    moved: bool


def check_denominator(control: Statistic, treatment: Statistic, *, alpha: float = 0.05) -> DenominatorCheck:
    """Of a Ratio, with or without covariates and strata. Raises TypeError for others."""
    one, other = plain_of(control), plain_of(treatment)
    if not (isinstance(one, Ratio) and isinstance(other, Ratio)):
        raise TypeError("only ratios have a denominator")
    effect = compare(one.denominator, other.denominator, alpha=alpha)
    return DenominatorCheck(effect, effect is not None and effect.p_value < alpha)


@dataclass(frozen=True)
class CountCheck:
    """How many customers (or events) each side's number rests on, and how many are needed on both."""

    control: float
    treatment: float
    needed: int

    @property
    def enough(self) -> bool:
        return min(self.control, self.treatment) >= self.needed


def check_counts(control: Statistic, treatment: Statistic, *, needed: int = ENOUGH) -> CountCheck:
    """Successes or failures, whichever are fewer; events; for amounts the effective number of buyers.

    The effective number is (Σx)²/Σx²: that many equal buyers would give an average as sure as these unequal
    ones (Kish 1965). Quantiles need no such number: it is infinite.
    """
    return CountCheck(_support(control), _support(treatment), needed)


def _support(statistic: Statistic) -> float:
    plain = plain_of(statistic)
    if isinstance(plain, Proportion):
        return float(min(plain.successes, plain.n - plain.successes))
    if isinstance(plain, Count):
        return float(plain.events)
    if isinstance(plain, Quantile):
        return math.inf
    mean: Mean = plain.numerator if isinstance(plain, Ratio) else plain
    return float(Fraction(mean.sum) ** 2 / Fraction(mean.sum_squares)) if mean.sum_squares else 0.0


@dataclass(frozen=True)
class SeenTwice:
    """The share of customers who were met in more than one variant, with its 95 % interval.

    `excessive` is a share above the limit. They belong to the variant drawn first; to leave them out would
    take away the keenest.
    """

    share: float
    interval: tuple[float, float]
    limit: float
    excessive: bool


def check_seen_twice(seen_twice: int, customers: int, *, limit: float = SHARE_SEEN_TWICE) -> SeenTwice | None:
    """None without customers. Source of the interval: Wilson (1927)."""
    found = Proportion(customers, seen_twice)
    if found.value is None:
        return None
    return SeenTwice(found.value, wilson(found, 1.959963984540054), limit, found.value > limit)


class Trend(StrEnum):
    FADING = "fading"  # the effect shrinks from day to day: it may be gone before long
    GROWING = "growing"
    STEADY = "steady"  # no trend is shown; with few days that says little


@dataclass(frozen=True)
class Novelty:
    """`slope` is the daily effect's change per day; `average` the daily effect, weighted by its precision."""

    slope: float
    slope_ci: Bounds
    p_value: float
    average: float
    trend: Trend
    days: int


def novelty(daily: Sequence[tuple[Statistic, Statistic]], *, alpha: float = 0.05) -> Novelty | None:
    """Does the effect wear off? One pair (control, treatment) for each day, of that day alone.

    A line through the daily effects, each weighted by its precision; days without an effect are left out.
    None with fewer than three. Errors of days are taken as independent: the same customers on several days
    make them alike, which the slope, a difference between days, mostly cancels.
    Source: weighted least squares with known variances (Aitken 1936).
    """
    check_alpha(alpha)
    points = []
    for day, (control, treatment) in enumerate(daily):
        if isinstance(control, Count | Quantile) or isinstance(treatment, Count | Quantile):
            raise TypeError("a trend needs means, shares or ratios")
        if obstacle(control, treatment) is None:
            found = contrast(control, treatment)
            if found.spread > 0:
                points.append((day, found.difference, 1 / found.spread))
    if len(points) < 3:
        return None
    total = sum(weight for _, _, weight in points)
    middle = sum(day * weight for day, _, weight in points) / total
    average = sum(effect * weight for _, effect, weight in points) / total
    width = sum(weight * (day - middle) ** 2 for day, _, weight in points)
    slope = sum(weight * (day - middle) * (effect - average) for day, effect, weight in points) / width
    error, critical = 1 / math.sqrt(width), -float(ndtri(alpha / 2))
    p_value = 2 * float(ndtr(-abs(slope) / error))
    trend = Trend.STEADY
    if p_value < alpha:
        trend = Trend.FADING if slope * average < 0 else Trend.GROWING
    bounds = (slope - critical * error, slope + critical * error)
    return Novelty(slope, bounds, p_value, average, trend, len(points))
