"""Treatment against control: one effect, told absolutely and relatively, with one p-value for both.

The relative interval is made so that it excludes 0 exactly when the absolute one does. The usual delta-method
interval of a relative lift does not: on rare, skewed spend it errs twice as often as it says, always on the
side of "loser".
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from experiments.stats import newcombe, welch
from experiments.stats.sufficient import Mean, Proportion, Statistic

Alternative = Literal["two-sided", "greater", "less"]
Bounds = tuple[float | None, float | None]

# Below this many successes or failures the normal approximation of a share is too rough.
SMALL_COUNT = 10


class Note(StrEnum):
    """What a reader must know beside the numbers."""

    SMALL_COUNTS = "small_counts"  # the score interval was used
    CONTROL_NEAR_ZERO = "control_near_zero"  # the control's mean may be 0: a relative bound is missing


class Obstacle(StrEnum):
    """Why there is no effect."""

    TOO_FEW_CUSTOMERS = "too_few_customers"  # fewer than two on one side
    NO_VARIATION = "no_variation"  # every customer has the same value


@dataclass(frozen=True)
class Effect:
    """Treatment minus control. Bounds are None where the interval has no end.

    `relative` is a fraction of the control's absolute mean (0.12 is +12 %); it and `relative_ci` are None
    when the control's mean allows no ratio. `method` is "welch" or "newcombe".
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


def obstacle(control: Statistic, treatment: Statistic) -> Obstacle | None:
    """Why the two cannot be compared; None when they can."""
    if control.n < 2 or treatment.n < 2:
        return Obstacle.TOO_FEW_CUSTOMERS
    if isinstance(control, Mean) and not control.variance and not treatment.variance:
        return Obstacle.NO_VARIATION
    return None


def compare(
    control: Statistic, treatment: Statistic, *, alpha: float = 0.05, alternative: Alternative = "two-sided"
) -> Effect | None:
    """The effect with its 1 − alpha interval; one-sided alternatives leave the other bound open (None).

    Welch's t on means and shares; for shares with fewer than ten successes or failures on a side the score
    interval of Newcombe, with its p-value by inversion, and a note. None when `obstacle` names one.
    Raises ValueError for alpha outside (0, 1) or an unknown alternative, TypeError for different kinds.
    Source: Welch (1947); Fieller (1954); Newcombe (1998), method 10; Donner and Zou (2012).
    """
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie between 0 and 1")
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(f"unknown alternative: {alternative}")
    if type(control) is not type(treatment):
        raise TypeError("only statistics of the same kind can be compared")
    if obstacle(control, treatment):
        return None
    tail = alpha / 2 if alternative == "two-sided" else alpha
    if (
        isinstance(control, Proportion)
        and isinstance(treatment, Proportion)
        and _is_small(control, treatment)
    ):
        outcome = newcombe.compare(control, treatment, tail=tail)
        method, notes = "newcombe", [Note.SMALL_COUNTS]
    else:
        outcome = welch.compare(control, treatment, tail=tail)
        method, notes = "welch", []
    relative_ci = None if outcome.relative_ci is None else _keep(outcome.relative_ci, alternative)
    if relative_ci is None or outcome.control_near_zero:
        notes.append(Note.CONTROL_NEAR_ZERO)
    return Effect(
        absolute=outcome.absolute,
        absolute_ci=_keep(outcome.absolute_ci, alternative),
        relative=outcome.relative,
        relative_ci=relative_ci,
        p_value=_p_value(outcome.upper_tail, outcome.lower_tail, alternative),
        method=method,
        notes=tuple(notes),
        alpha=alpha,
        alternative=alternative,
    )


def _is_small(*sides: Proportion) -> bool:
    return any(min(side.successes, side.n - side.successes) < SMALL_COUNT for side in sides)


def _keep(bounds: Bounds, alternative: Alternative) -> Bounds:
    low, high = bounds
    return (None if alternative == "less" else low, None if alternative == "greater" else high)


def _p_value(upper: float, lower: float, alternative: Alternative) -> float:
    if alternative == "greater":
        return upper
    return lower if alternative == "less" else min(1.0, 2 * min(upper, lower))
