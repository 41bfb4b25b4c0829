"""What one way of estimating answers, before the alternative leaves one side open."""

from dataclasses import dataclass
from typing import Literal

Alternative = Literal["two-sided", "greater", "less"]
Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Outcome:
    absolute: float
    absolute_ci: Bounds
    relative: float | None
    relative_ci: Bounds | None
    p_value: float
    control_near_zero: bool


def check_alternative(alternative: str) -> None:
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(f"unknown alternative: {alternative}")


def check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie between 0 and 1")
