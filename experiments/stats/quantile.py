"""The value that so many customers do not exceed: median order value, the slowest tenth."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

from scipy.special import ndtr
from scipy.stats import binom

from experiments.stats.columns import Number, exact_list


@dataclass(frozen=True)
class Quantile:
    """`counts` says how many customers have each value, ascending: exact, and it adds up.

    One value for each customer: rows of the same customer resemble each other, and this interval would not
    know. Raises ValueError for a level outside (0, 1), values not ascending, or counts not positive.
    """

    level: float
    counts: tuple[tuple[Number, int], ...]

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError("the level of a quantile lies between 0 and 1")
        values = [Fraction(value) for value, _ in self.counts]
        if any(later <= earlier for earlier, later in pairwise(values)):
            raise ValueError("values must be ascending, each once")
        if any(count < 1 for _, count in self.counts):
            raise ValueError("every value needs a customer")

    @classmethod
    def of(cls, values: Iterable[Number], *, level: float) -> "Quantile":
        """Of one value for each customer."""
        return cls(level, tuple(sorted(Counter(exact_list(values)).items())))

    def __add__(self, other: "Quantile") -> "Quantile":
        if self.level != other.level:
            raise ValueError("quantiles of different levels cannot be added or compared")
        joined = Counter(dict(self.counts))
        joined.update(dict(other.counts))
        return Quantile(self.level, tuple(sorted(joined.items())))

    @property
    def n(self) -> int:
        return sum(count for _, count in self.counts)

    @property
    def exact_value(self) -> Fraction:
        """The smallest value that at least `level` of the customers do not exceed."""
        return Fraction(self._ranked(max(1, math.ceil(Fraction(self.level) * self.n))))

    @property
    def value(self) -> float | None:
        """None without customers."""
        return float(self.exact_value) if self.counts else None

    @property
    def variance(self) -> float | None:
        """For each customer, so that variance/n is the squared error, from the width of the 95 % interval.

        None without customers or where the interval has no end. Source: Woodruff (1952).
        """
        low, high = self.limits(1.959963984540054) if self.counts else (-math.inf, math.inf)
        if math.isinf(low) or math.isinf(high):
            return None
        return self.n * ((high - low) / (2 * 1.959963984540054)) ** 2

    def limits(self, z: float) -> tuple[float, float]:
        """Distribution-free limits that leave at most the normal tail beyond z on each side.

        Ranks come from the binomial distribution, so they hold for any values, ties included. Infinite where
        there are too few customers. Source: Thompson (1936); Conover (1999), section 3.2.
        """
        tail, n = float(ndtr(-z)), self.n
        lower = int(binom.ppf(tail, n, self.level)) if tail > 0 else 0
        upper = int(binom.isf(tail, n, self.level)) + 1 if tail > 0 else n + 1
        low = float(self._ranked(lower)) if lower >= 1 else -math.inf
        high = float(self._ranked(upper)) if upper <= n else math.inf
        return low, high

    def _ranked(self, rank: int) -> Number:
        """The value at this rank, counted from 1."""
        for (value, _), seen in zip(self.counts, accumulate(count for _, count in self.counts), strict=True):
            if rank <= seen:
                return value
        raise IndexError(rank)
