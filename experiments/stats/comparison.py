"""Treatment against control: one effect, told absolutely and relatively, with one p-value for both.

The relative interval is made so that it excludes 0 exactly when the absolute one does. The usual delta-method
interval of a relative lift does not: on rare, skewed spend it errs twice as often as it says, always on the
side of "loser".
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from experiments.stats import mover
from experiments.stats.adjusted import Adjusted, MultiAdjusted, Plain
from experiments.stats.contrast import Contrast, contrast
from experiments.stats.fieller import fieller
from experiments.stats.looks import LookPlan
from experiments.stats.outcome import Alternative, Bounds, Outcome, check_alpha, check_alternative
from experiments.stats.quantile import Quantile
from experiments.stats.ratio import Ratio
from experiments.stats.rules import AlwaysValid, Fixed, PlannedLook, Rule
from experiments.stats.strata import Averaged, Stratified
from experiments.stats.sufficient import Count, Mean, Proportion

Statistic = Averaged | Stratified | Count | Quantile
Method = Literal["fixed", "always_valid", "group_sequential"]

# Below this many successes or failures the normal approximation of a share is too rough.
SMALL_COUNT = 10
TUNED_FOR = 5_000


class Note(StrEnum):
    """What a reader must know beside the numbers."""

    SMALL_COUNTS = "small_counts"  # the score interval was used
    CONTROL_NEAR_ZERO = "control_near_zero"  # the control's mean may be 0: a relative bound is missing
    ROUGH = "rough"  # few did it, and no score interval exists: the normal approximation is rough


class Obstacle(StrEnum):
    """Why there is no effect."""

    TOO_FEW_CUSTOMERS = "too_few_customers"  # fewer than two on one side (more with covariates)
    NO_VARIATION = "no_variation"  # every customer has the same value
    NO_DENOMINATOR = "no_denominator"  # a ratio or rate whose denominator is 0 on one side


@dataclass(frozen=True)
class Effect:
    """Treatment minus control. Bounds are None where the interval has no end.

    `relative` is a fraction of the control's absolute mean (0.12 is +12 %); it and `relative_ci` are None
    when the control's mean allows no ratio. `method` is the way of estimating: "welch", "newcombe", "delta"
    (ratios), "cuped", "post_stratified", "poisson_score" or "order_statistics". `horizon` is when the promise
    holds: "fixed" (one look), "always_valid" (any looks) or "group_sequential" (planned looks).
    `variance_reduction` is the share of variance that covariates or strata took away; None without any.
    """

    absolute: float
    absolute_ci: Bounds
    relative: float | None
    relative_ci: Bounds | None
    p_value: float
    method: str
    notes: tuple[Note, ...] = ()
    alpha: float = 0.05
    alternative: Alternative = "two-sided"
    horizon: Method = "fixed"
    variance_reduction: float | None = None


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


def compare(
    control: Statistic,
    treatment: Statistic,
    *,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    method: Method = "fixed",
    tuned_for: float = TUNED_FOR,
    tuned_alpha: float | None = None,
    plan: LookPlan | None = None,
    look: int | None = None,
) -> Effect | None:
    """The effect with its 1 − alpha interval; one-sided alternatives leave the other bound open (None).

    Means, shares and ratios by Welch's t; shares with fewer than ten successes or failures on a side by the
    score interval of Newcombe, with its p-value by inversion, and a note; rates and quantiles likewise from
    the limits of each side. `method` says when the promise holds: "fixed" at one look, "always_valid" at
    any (`tuned_for` customers in both groups and `tuned_alpha`, default alpha, are chosen before the first
    look), "group_sequential" at number `look` of `plan`. None when `obstacle` names one.
    Raises ValueError for impossible options, TypeError for statistics of different kinds.
    Source: Welch (1947); Fieller (1954); Newcombe (1998), method 10; Donner and Zou (2012); see `rules`.
    """
    check_same_kind(control, treatment)
    rule = make_rule(
        alpha=alpha,
        alternative=alternative,
        method=method,
        tuned_for=tuned_for,
        tuned_alpha=tuned_alpha,
        plan=plan,
        look=look,
    )
    if obstacle(control, treatment):
        return None
    notes: list[Note] = []
    reduction = None
    if isinstance(control, Count | Quantile) or (
        isinstance(control, Proportion) and is_small(control, treatment)
    ):
        assert isinstance(treatment, Proportion | Count | Quantile)
        outcome = mover.compare(control, treatment, rule=rule)
        if isinstance(control, Proportion):
            notes.append(Note.SMALL_COUNTS)
    else:
        assert not isinstance(treatment, Count | Quantile)
        found = contrast(control, treatment)
        outcome, reduction = from_contrast(found, rule), found.variance_reduction
        if is_small(control, treatment):
            notes.append(Note.ROUGH)
    relative_ci = None if outcome.relative_ci is None else _keep(outcome.relative_ci, alternative)
    if relative_ci is None or outcome.control_near_zero:
        notes.append(Note.CONTROL_NEAR_ZERO)
    return Effect(
        absolute=outcome.absolute,
        absolute_ci=_keep(outcome.absolute_ci, alternative),
        relative=outcome.relative,
        relative_ci=relative_ci,
        p_value=outcome.p_value,
        method=_name(control, Note.SMALL_COUNTS in notes),
        notes=tuple(notes),
        alpha=alpha,
        alternative=alternative,
        horizon=method,
        variance_reduction=reduction,
    )


def make_rule(
    *,
    alpha: float,
    alternative: Alternative,
    method: Method,
    tuned_for: float,
    tuned_alpha: float | None,
    plan: LookPlan | None,
    look: int | None,
) -> Rule:
    check_alpha(alpha)
    check_alternative(alternative)
    if (plan is not None or look is not None) and method != "group_sequential":
        raise ValueError("a plan of looks belongs to the method group_sequential")
    if method == "fixed":
        return Fixed(alpha, alternative)
    if method == "always_valid":
        tuned = alpha if tuned_alpha is None else tuned_alpha
        if tuned_for <= 0 or not 0 < tuned < (1 if alternative == "two-sided" else 0.5):
            raise ValueError("tuned_for must be positive, tuned_alpha between 0 and 1 (one-sided: and 0.5)")
        return AlwaysValid(alpha, alternative, tuned_for, tuned)
    if method == "group_sequential":
        if plan is None or look is None:
            raise ValueError("the method group_sequential needs a plan and the number of the look")
        if (plan.alternative == "two-sided") != (alternative == "two-sided"):
            raise ValueError("the looks were planned for another alternative")
        if alpha > plan.alpha:
            raise ValueError("the looks were planned for a smaller alpha")
        return PlannedLook(alpha, alternative, plan, look)
    raise ValueError(f"unknown method: {method}")


def from_contrast(found: Contrast, rule: Rule) -> Outcome:
    """Both sides wide by the rule's number of standard errors."""
    error, critical = math.sqrt(found.spread), rule.critical(found.degrees, found.n)
    relative, relative_ci = fieller(
        found.difference,
        found.base,
        spread=found.spread,
        spread_base=found.spread_base,
        covariance=found.covariance,
        critical=critical,
    )
    return Outcome(
        absolute=found.difference,
        absolute_ci=(found.difference - critical * error, found.difference + critical * error),
        relative=relative,
        relative_ci=relative_ci,
        p_value=rule.p_value(found.difference / error, found.degrees, found.n),
        control_near_zero=found.base**2 <= critical**2 * found.spread_base,
    )


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


def _name(statistic: Statistic, small: bool) -> str:
    if isinstance(statistic, Proportion):
        return "newcombe" if small else "welch"
    names: dict[type, str] = {
        Mean: "welch",
        Ratio: "delta",
        Adjusted: "cuped",
        MultiAdjusted: "cuped",
        Stratified: "post_stratified",
        Count: "poisson_score",
        Quantile: "order_statistics",
    }
    return names[type(statistic)]


def _keep(bounds: Bounds, alternative: Alternative) -> Bounds:
    low, high = bounds
    return (None if alternative == "less" else low, None if alternative == "greater" else high)
