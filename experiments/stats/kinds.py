"""The kinds of statistic: which may be compared with which, and what stands in the way."""

from enum import StrEnum

from experiments.stats.adjusted import Adjusted, MultiAdjusted, Plain
from experiments.stats.contrast import contrast
from experiments.stats.quantile import Quantile
from experiments.stats.ratio import Ratio
from experiments.stats.strata import Averaged, Stratified
from experiments.stats.sufficient import Count, Mean, Proportion

Statistic = Averaged | Stratified | Count | Quantile

# Below this many successes or failures the normal approximation of a share is too rough.
SMALL_COUNT = 10


class Obstacle(StrEnum):
    """Why there is no effect."""

    TOO_FEW_CUSTOMERS = "too_few_customers"  # fewer than two on one side (more with covariates)
    NO_VARIATION = "no_variation"  # every customer has the same value
    NO_DENOMINATOR = "no_denominator"  # a ratio or rate whose denominator is 0 on one side
    TOO_FEW_EFFECTIVE = "too_few_effective"  # weighted by its chances, one side is worth too few customers
    NOT_WEIGHTED = "not_weighted"  # chances differed, and the metric is not one number per customer


def obstacle(control: Statistic, treatment: Statistic) -> Obstacle | None:
    """Why the two cannot be compared; None when they can."""
    sides = (control, treatment)
    if any(side.n < _least_customers(side) for side in sides):
        return Obstacle.TOO_FEW_CUSTOMERS
    if any(_lacks_denominator(side) for side in sides):
        return Obstacle.NO_DENOMINATOR
    if isinstance(control, Quantile) and isinstance(treatment, Quantile):
        values = {value for side in (control, treatment) for value, _ in side.counts}
        return Obstacle.NO_VARIATION if len(values) == 1 else None
    if isinstance(control, Proportion | Count | Quantile) or isinstance(treatment, Count | Quantile):
        return None
    return None if contrast(control, treatment).spread > 0 else Obstacle.NO_VARIATION


def check_same_kind(control: Statistic, treatment: Statistic) -> None:
    """Raises TypeError for different kinds, ValueError for caps, levels or covariates that do not fit."""
    if _kind(control) != _kind(treatment):
        raise TypeError("only statistics of the same kind can be compared")
    if _caps(control) != _caps(treatment):
        raise ValueError("sums with different caps cannot be compared: count both with one cap")
    if isinstance(control, Quantile) and isinstance(treatment, Quantile) and control.level != treatment.level:
        raise ValueError("quantiles of different levels cannot be compared")


def is_small(*sides: Statistic) -> bool:
    """Whether a share, adjusted or not, rests on fewer than ten successes or failures."""
    shares = [plain_of(side) for side in sides]
    return any(
        min(share.successes, share.n - share.successes) < SMALL_COUNT
        for share in shares
        if isinstance(share, Proportion)
    )


def plain_of(statistic: Statistic) -> Plain | Count | Quantile:
    """The outcome as measured, without covariates and cells."""
    if isinstance(statistic, Stratified):
        return plain_of(statistic.pooled)
    return statistic.post if isinstance(statistic, Adjusted | MultiAdjusted) else statistic


def _kind(statistic: Statistic) -> tuple[object, ...]:
    if isinstance(statistic, Stratified):
        return (Stratified, *_kind(next(iter(statistic.cells.values()))))
    if isinstance(statistic, Adjusted):
        return (Adjusted, type(statistic.post), type(statistic.pre))
    if isinstance(statistic, MultiAdjusted):
        return (MultiAdjusted, type(statistic.post), *(type(covariate) for covariate in statistic.pre))
    return (type(statistic),)


def _caps(statistic: Statistic) -> list[object]:
    if isinstance(statistic, Stratified):
        return _caps(statistic.pooled)
    if isinstance(statistic, Adjusted):
        return [*_caps(statistic.post), *_caps(statistic.pre)]
    if isinstance(statistic, MultiAdjusted):
        return [cap for part in (statistic.post, *statistic.pre) for cap in _caps(part)]
    return [statistic.cap] if isinstance(statistic, Mean | Ratio) else []


def _least_customers(side: Statistic) -> int:
    if isinstance(side, Stratified):
        return _least_customers(next(iter(side.cells.values())))
    covariates = 1 if isinstance(side, Adjusted) else len(side.pre) if isinstance(side, MultiAdjusted) else 0
    return 2 + covariates


def _lacks_denominator(side: Statistic) -> bool:
    if isinstance(side, Count):
        return not side.exposure
    if isinstance(side, Stratified):
        return _lacks_denominator(side.pooled)
    if isinstance(side, Adjusted):
        return _lacks_denominator(side.post) or _lacks_denominator(side.pre)
    if isinstance(side, MultiAdjusted):
        return any(_lacks_denominator(part) for part in (side.post, *side.pre))
    return isinstance(side, Ratio) and not side.den_sum
