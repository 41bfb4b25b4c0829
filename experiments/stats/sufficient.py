"""Sums that tell a comparison all it needs of a group of customers, and that add up over days and strata."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from experiments.stats.columns import ROUNDING, Columns, Number, add_numbers, exact


def same_cap(one: Number | None, other: Number | None) -> Number | None:
    """Raises ValueError when values were cut at different caps: their sums answer different questions."""
    if one != other:
        raise ValueError("sums with different caps cannot be added or compared: count both with one cap")
    return one


@dataclass(frozen=True)
class Mean:
    """A quantity per customer: n customers, the sum of their values and the sum of the squared values.

    Give the sums as int or Decimal (PostgreSQL's numeric) and no digit is lost, however large they are.
    `cap` says that every customer's value was cut at this number before it was summed (winsorised). Choose it
    before the test, from older data: a cap that follows the data moves the question from day to day.
    Raises ValueError when the sums cannot belong together.
    """

    n: int
    sum: Number
    sum_squares: Number
    cap: Number | None = None

    def __post_init__(self) -> None:
        if self.n < 0:
            raise ValueError("n must not be negative")
        squares = Fraction(self.sum_squares)
        if self.n == 0 and (squares or self.sum):
            raise ValueError("nobody cannot have a sum")
        if squares < 0 or (self.n and self._deviation() < -ROUNDING * squares):
            raise ValueError("sum_squares is too small for this sum")
        if self.cap is not None and self.sum > Fraction(self.cap) * self.n * (1 + ROUNDING):
            raise ValueError("the sum is larger than the cap allows")

    @classmethod
    def of(cls, values: Iterable[Number], *, cap: Number | None = None) -> "Mean":
        """Of one value for each customer, cut at `cap`."""
        cut = [exact(value if cap is None else min(value, cap)) for value in values]
        return cls(len(cut), sum(cut, 0), sum((value * value for value in cut), 0), cap)

    def __add__(self, other: "Mean") -> "Mean":
        return Mean(
            self.n + other.n,
            add_numbers(self.sum, other.sum),
            add_numbers(self.sum_squares, other.sum_squares),
            same_cap(self.cap, other.cap),
        )

    @property
    def value(self) -> float | None:
        """The mean; None without customers."""
        return float(Fraction(self.sum) / self.n) if self.n else None

    @property
    def variance(self) -> float | None:
        """Between customers, with n − 1; None with fewer than two."""
        return float(max(self._deviation(), Fraction(0)) / (self.n - 1)) if self.n > 1 else None

    @property
    def columns(self) -> Columns:
        return Columns(self.n, (Fraction(self.sum),), ((Fraction(self.sum_squares),),), (1,))

    def _deviation(self) -> Fraction:
        # Exact: as floats this difference of two large numbers would lose every digit.
        return Fraction(self.sum_squares) - Fraction(self.sum) ** 2 / self.n


@dataclass(frozen=True)
class Proportion:
    """How many of n customers did it: conversion, or retention (still active after so many days).

    Raises ValueError unless 0 ≤ successes ≤ n.
    """

    n: int
    successes: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.n:
            raise ValueError("successes must lie between 0 and n")

    @classmethod
    def of(cls, values: Iterable[bool | int | float]) -> "Proportion":
        """Of one yes or no for each customer."""
        answers = [bool(value) for value in values]
        return cls(len(answers), sum(answers))

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

    @property
    def columns(self) -> Columns:
        successes = Fraction(self.successes)
        return Columns(self.n, (successes,), ((successes,),), (1,), divisor_less=0)


@dataclass(frozen=True)
class Count:
    """Events over an exposure (messages, customer-days): a rate whose events fall independently (Poisson).

    `n` customers. Where one customer can cause many events they are not independent: use a Mean of the number
    per customer, or a Ratio, which need no such assumption. Raises ValueError for negative numbers.
    """

    n: int
    events: int
    exposure: Number

    def __post_init__(self) -> None:
        if self.n < 0 or self.events < 0 or self.exposure < 0:
            raise ValueError("customers, events and exposure must not be negative")
        if self.events and not self.exposure:
            raise ValueError("events need an exposure")

    def __add__(self, other: "Count") -> "Count":
        exposure = add_numbers(self.exposure, other.exposure)
        return Count(self.n + other.n, self.events + other.events, exposure)

    @property
    def value(self) -> float | None:
        """Events for each unit of exposure; None without exposure."""
        return float(self.events / Fraction(self.exposure)) if self.exposure else None

    @property
    def variance(self) -> float | None:
        """For each customer, so that variance/n is the squared error of the rate; None without exposure."""
        return float(self.n * self.events / Fraction(self.exposure) ** 2) if self.exposure else None
