"""What one method of comparison answers, before the alternative is applied."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Intervals leave `tail` on each side; the tails are the two one-sided p-values."""

    absolute: float
    absolute_ci: tuple[float, float]
    relative: float | None
    relative_ci: tuple[float | None, float | None] | None
    control_near_zero: bool
    upper_tail: float
    lower_tail: float
