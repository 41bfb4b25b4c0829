"""Guardrails: is the treatment at most a little worse? "No significant harm" does not answer that."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from experiments.stats.comparison import Effect, compare
from experiments.stats.kinds import Statistic


class Standing(StrEnum):
    NOT_INFERIOR = "not_inferior"  # worse by less than the margin, or better
    INFERIOR = "inferior"  # worse by more than the margin
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class NonInferiority:
    """`worst` is the bound of the one-sided interval on the side of harm, `best` the one on the other side.

    Both are changes of the metric, absolute or (`relative`) as a fraction of the control; each alone holds
    with 1 − alpha, None where there is none. `effect` has the one-sided interval towards harm.
    """

    standing: Standing
    worst: float | None
    best: float | None
    margin: float
    relative: bool
    effect: Effect | None


def non_inferiority(
    control: Statistic,
    treatment: Statistic,
    *,
    margin: float,
    relative: bool = False,
    direction: Literal["up", "down"] = "up",
    alpha: float = 0.05,
    **options: Any,
) -> NonInferiority:
    """`direction` is the good one: "down" for unsubscribes. `margin` > 0 is the harm one would still bear.

    `options` go to `compare`: method and the like; planned looks must have been planned one-sided.
    Raises ValueError for a margin that is not positive. Source: Piaggio et al. (2012), CONSORT extension.
    """
    if margin <= 0:
        raise ValueError("the margin of a guardrail must be positive")
    harm: Literal["greater", "less"] = "greater" if direction == "up" else "less"
    other: Literal["greater", "less"] = "less" if direction == "up" else "greater"
    toward = compare(control, treatment, alpha=alpha, alternative=harm, **options)
    away = compare(control, treatment, alpha=alpha, alternative=other, **options)
    side = 0 if direction == "up" else 1
    worst, best = _bound(toward, side, relative), _bound(away, 1 - side, relative)
    sign = 1 if direction == "up" else -1
    standing = Standing.CANNOT_TELL
    if worst is not None and sign * worst > -margin:
        standing = Standing.NOT_INFERIOR
    elif best is not None and sign * best < -margin:
        standing = Standing.INFERIOR
    return NonInferiority(standing, worst, best, margin, relative, toward)


def _bound(effect: Effect | None, side: int, relative: bool) -> float | None:
    bounds = None if effect is None else effect.relative_ci if relative else effect.absolute_ci
    return None if bounds is None else bounds[side]
