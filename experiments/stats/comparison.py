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
from experiments.stats.adjusted import Adjusted, MultiAdjusted
from experiments.stats.contrast import Contrast, contrast
from experiments.stats.fieller import fieller
from experiments.stats.kinds import Statistic, check_same_kind, is_small, obstacle
from experiments.stats.looks import LookPlan
from experiments.stats.outcome import Alternative, Bounds, Outcome, check_alpha, check_alternative
from experiments.stats.quantile import Quantile
from experiments.stats.ratio import Ratio
from experiments.stats.rules import AlwaysValid, Fixed, PlannedLook, Rule
from experiments.stats.strata import Stratified
from experiments.stats.sufficient import Count, Mean, Proportion

Method = Literal["fixed", "always_valid", "group_sequential"]

TUNED_FOR = 5_000


class Note(StrEnum):
    """What a reader must know beside the numbers."""

    SMALL_COUNTS = "small_counts"  # the score interval was used
    CONTROL_NEAR_ZERO = "control_near_zero"  # the control's mean may be 0: a relative bound is missing
    ROUGH = "rough"  # few did it, and no score interval exists: the normal approximation is rough


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
    outcome = estimate(control, treatment, rule)
    notes: list[Note] = []
    if is_small(control, treatment):
        notes.append(Note.SMALL_COUNTS if isinstance(control, Proportion) else Note.ROUGH)
    relative_ci = None if outcome.relative_ci is None else _keep(outcome.relative_ci, alternative)
    if relative_ci is None or outcome.control_near_zero:
        notes.append(Note.CONTROL_NEAR_ZERO)
    return Effect(
        absolute=outcome.absolute,
        absolute_ci=_keep(outcome.absolute_ci, alternative),
        relative=outcome.relative,
        relative_ci=relative_ci,
        p_value=rule.p_value(outcome.score, outcome.degrees, outcome.n),
        method=_name(control, Note.SMALL_COUNTS in notes),
        notes=tuple(notes),
        alpha=alpha,
        alternative=alternative,
        horizon=method,
        variance_reduction=outcome.variance_reduction,
    )


def estimate(control: Statistic, treatment: Statistic, rule: Rule) -> Outcome:
    """Both intervals, without the p-value; there must be no obstacle."""
    if isinstance(control, Count | Quantile):
        assert isinstance(treatment, Count | Quantile)
        return mover.compare(control, treatment, rule=rule)
    assert not isinstance(treatment, Count | Quantile)
    if isinstance(control, Proportion) and isinstance(treatment, Proportion) and is_small(control, treatment):
        return mover.compare(control, treatment, rule=rule)
    return from_contrast(contrast(control, treatment), rule)


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


def compare_contrast(found: Contrast, *, alpha: float = 0.05, name: str) -> Effect:
    """The effect of a contrast that was estimated elsewhere, two-sided, for one look; `name` is its
    method."""
    check_alpha(alpha)
    rule = Fixed(alpha, "two-sided")
    outcome = from_contrast(found, rule)
    near_zero = outcome.relative_ci is None or outcome.control_near_zero
    return Effect(
        absolute=outcome.absolute,
        absolute_ci=outcome.absolute_ci,
        relative=outcome.relative,
        relative_ci=outcome.relative_ci,
        p_value=rule.p_value(outcome.score, outcome.degrees, outcome.n),
        method=name,
        notes=(Note.CONTROL_NEAR_ZERO,) if near_zero else (),
        alpha=alpha,
    )


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
        control_near_zero=found.base**2 <= critical**2 * found.spread_base,
        score=found.difference / error,
        degrees=found.degrees,
        n=found.n,
        variance_reduction=found.variance_reduction,
    )


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
