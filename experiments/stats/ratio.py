"""One sum over another: spend per order, clicks per message, anything where the unit counted repeats."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from experiments.stats.columns import ROUNDING, Columns, Number, add_numbers, exact_list
from experiments.stats.sufficient import Mean, same_cap


@dataclass(frozen=True)
class Ratio:
    """The sum of a numerator over the sum of a denominator; n is what was drawn by chance: customers.

    Numerator and denominator are first summed within each customer, so errors are robust to the likeness of
    a customer's rows. Drawn were households or shops? Sum within those, and n is their number (clusters).
    `cap` belongs to the numerator, see Mean. Raises ValueError when the sums cannot belong together.
    """

    n: int
    num_sum: Number
    num_sum_squares: Number
    den_sum: Number
    den_sum_squares: Number
    num_den_sum_products: Number
    cap: Number | None = None

    def __post_init__(self) -> None:
        columns = self.columns
        numerator, denominator = self.numerator, self.denominator  # they check their own sums
        if self.n > 1 and numerator.variance is not None and denominator.variance is not None:
            spread = columns.covariance()
            size = float(columns.products[0][0]) * float(columns.products[1][1])
            if spread[0, 1] ** 2 > spread[0, 0] * spread[1, 1] + float(ROUNDING) * size:
                raise ValueError("num_den_sum_products does not belong to these sums")

    @classmethod
    def of(cls, numerators: Iterable[Number], denominators: Iterable[Number]) -> "Ratio":
        """Of one numerator and one denominator for each customer."""
        top, bottom = exact_list(numerators), exact_list(denominators)
        return cls(
            n=len(top),
            num_sum=sum(top),
            num_sum_squares=sum(a * a for a in top),
            den_sum=sum(bottom),
            den_sum_squares=sum(b * b for b in bottom),
            num_den_sum_products=sum(a * b for a, b in zip(top, bottom, strict=True)),
        )

    def __add__(self, other: "Ratio") -> "Ratio":
        return Ratio(
            self.n + other.n,
            add_numbers(self.num_sum, other.num_sum),
            add_numbers(self.num_sum_squares, other.num_sum_squares),
            add_numbers(self.den_sum, other.den_sum),
            add_numbers(self.den_sum_squares, other.den_sum_squares),
            add_numbers(self.num_den_sum_products, other.num_den_sum_products),
            same_cap(self.cap, other.cap),
        )

    @property
    def numerator(self) -> Mean:
        return Mean(self.n, self.num_sum, self.num_sum_squares, self.cap)

    @property
    def denominator(self) -> Mean:
        return Mean(self.n, self.den_sum, self.den_sum_squares)

    @property
    def value(self) -> float | None:
        """None while the denominator is 0."""
        return float(Fraction(self.num_sum) / Fraction(self.den_sum)) if self.den_sum else None

    @property
    def variance(self) -> float | None:
        """For each of the n, so that variance/n is the squared error (delta method).

        None with fewer than two, or while the denominator is 0. Source: Deng, Knoblich and Lu (2018), eq. 3.
        """
        return self.columns.residual_variance() if self.n > 1 and self.den_sum else None

    @property
    def columns(self) -> Columns:
        both = Fraction(self.num_den_sum_products)
        return Columns(
            self.n,
            (Fraction(self.num_sum), Fraction(self.den_sum)),
            ((Fraction(self.num_sum_squares), both), (both, Fraction(self.den_sum_squares))),
            (2,),
        )
