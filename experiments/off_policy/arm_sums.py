"""What is known of one arm of a log whose chances differed, as sums that add up over days and machines."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

from experiments.off_policy.log import Floats


@dataclass(frozen=True)
class ArmSums:
    """Of those who got the arm, each with chance p, outcome y and weight w = 1/p: n, Σw, Σw², Σwy, Σw²y,
    Σw²y². A day may hold the growth of each.
    """

    n: int = 0
    w: float = 0.0
    ww: float = 0.0
    wy: float = 0.0
    wwy: float = 0.0
    wwyy: float = 0.0

    @classmethod
    def of(cls, propensities: Floats, outcomes: Floats) -> Self:
        w, y = 1 / propensities, outcomes
        return cls(
            len(w), float(w.sum()), float(w @ w), float(w @ y), float(w @ (w * y)), float((w * y) @ (w * y))
        )

    @classmethod
    def total(cls, parts: Sequence["ArmSums"]) -> Self:
        if not parts:
            return cls()
        n, *sums = (sum(column) for column in zip(*map(astuple, parts), strict=True))
        return cls(int(n), *sums)

    @property
    def effective(self) -> float:
        """How many decisions, all weighted alike, would say as much (Kish 1965)."""
        return self.w**2 / self.ww if self.ww else 0.0

    @property
    def value(self) -> float | None:
        """The mean outcome if everybody got the arm; None when nobody did. Source: see `snipw`."""
        return self.wy / self.w if self.w else None

    @property
    def error(self) -> float | None:
        """Its standard error, that of the plain mean where all chances are alike; None below two effective
        decisions. Source: Owen (2013), equation 9.9, with n/(n − 1) for the n that is effective."""
        n, value = self.effective, self.value
        if n < 2 or value is None:
            return None
        squares = self.wwyy - 2 * value * self.wwy + value**2 * self.ww
        return math.sqrt(max(squares, 0.0) * n / (n - 1)) / self.w

    @property
    def chance(self) -> float | None:
        """The harmonic mean of the chances with which its decisions were taken: their chance, where all had
        the same."""
        return self.n / self.w if self.w else None
