"""What one way of estimating answers, before the alternative leaves one side open.

`score` is the difference in standard errors: what a rule makes a p-value of, with `degrees` and `n`.
"""

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
    control_near_zero: bool
    score: float
    degrees: float
    n: int
    variance_reduction: float | None = None

    @property
    def significant(self) -> bool:
        """The two-sided interval leaves out 0."""
        low, high = self.absolute_ci
        return (low is not None and low > 0) or (high is not None and high < 0)


def check_alternative(alternative: str) -> None:
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(f"unknown alternative: {alternative}")


def check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError("alpha must lie between 0 and 1")
