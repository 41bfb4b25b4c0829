"""Sums that tell a comparison all it needs of a group of customers, and that add up over days and strata."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

Number = int | float | Decimal

# Sums of doubles miss by about this share; more than that is a wrong sum, not a rounding.
ROUNDING = Fraction(1, 10**9)


@dataclass(frozen=True)
class Mean:
    """A quantity per customer: n customers, the sum of their values and the sum of the squared values.

    Give the sums as int or Decimal (PostgreSQL's numeric) and no digit is lost, however large they are.
    Raises ValueError when the three cannot belong together.
    """

    n: int
    sum: Number
    sum_squares: Number

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("n must not be negative")
        squares = Fraction(self.sum_squares)
        if self.n == 0 and (squares or self.sum):
            raise ValueError("nobody cannot have a sum")
        if squares < 0 or (self.n and self._deviation() < -ROUNDING * squares):
            raise ValueError("sum_squares is too small for this sum")

    def __add__(self, other: "Mean") -> "Mean":
        return Mean(self.n + other.n, _add(self.sum, other.sum), _add(self.sum_squares, other.sum_squares))

    @property
    def value(self) -> float | None:
        """The mean; None without customers."""
        return float(Fraction(self.sum) / self.n) if self.n else None

    @property
    def variance(self) -> float | None:
        """Between customers, with n − 1; None with fewer than two."""
        return float(max(self._deviation(), Fraction(0)) / (self.n - 1)) if self.n > 1 else None

    def _deviation(self) -> Fraction:
        # Exact: as floats this difference of two large numbers would lose every digit.
        return Fraction(self.sum_squares) - Fraction(self.sum) ** 2 / self.n


@dataclass(frozen=True)
class Proportion:
    """How many of n customers did it. Raises ValueError unless 0 ≤ successes ≤ n."""

    n: int
    successes: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.n:
            raise ValueError("successes must lie between 0 and n")

    def __add__(self, other: "Proportion") -> "Proportion":
        return Proportion(self.n + other.n, self.successes + other.successes)

    @property
    def value(self) -> float | None:
        """The share; None without customers."""
        return self.successes / self.n if self.n else None

    @property
    def variance(self) -> float | None:
        """Between customers, p(1 − p); None with fewer than two."""
        if self.n < 2:
            return None
        return (self.successes / self.n) * ((self.n - self.successes) / self.n)


Statistic = Mean | Proportion


def _add(one: Number, other: Number) -> Number:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return one + other
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return float(Fraction(one) + Fraction(other))
    return one + other
