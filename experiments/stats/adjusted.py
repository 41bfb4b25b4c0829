"""Outcomes with what was known of each customer before the start (CUPED): the same effect, less noise.

Whatever the treatment cannot have changed may serve: last year's spend, a prediction made beforehand. A
covariate measured after the start biases the effect; no sum can show that.
Source: Deng, Xu, Kohavi and Walker (2013), eq. 3–5; several covariates as in Lin (2013), common slopes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from experiments.stats.columns import Columns, Number, add_numbers, exact_list
from experiments.stats.ratio import Ratio
from experiments.stats.sufficient import Mean, Proportion

Plain = Mean | Proportion | Ratio


@dataclass(frozen=True)
class CrossProducts:
    """Sums over customers of a part of the first times a part of the second statistic.

    `den_num` is the first's denominator times the second's numerator. A mean or a share has a numerator only:
    leave out (None) what does not exist. For two of them a plain number does as well.
    """

    num_num: Number
    num_den: Number | None = None
    den_num: Number | None = None
    den_den: Number | None = None

    def __add__(self, other: "CrossProducts") -> "CrossProducts":
        return CrossProducts(
            add_numbers(self.num_num, other.num_num),
            _add_optional(self.num_den, other.num_den),
            _add_optional(self.den_num, other.den_num),
            _add_optional(self.den_den, other.den_den),
        )

    def matrix(self, first: Plain, second: Plain) -> tuple[tuple[Fraction, ...], ...]:
        """Raises ValueError when parts are missing or too many."""
        rows: tuple[tuple[Number | None, ...], ...] = (
            (self.num_num, self.num_den),
            (self.den_num, self.den_den),
        )
        height, width = (2 if isinstance(side, Ratio) else 1 for side in (first, second))
        for i, row in enumerate(rows):
            for j, number in enumerate(row):
                if (number is None) == (i < height and j < width):
                    raise ValueError("the cross products must fit the parts of the two statistics")
        return tuple(tuple(Fraction(number or 0) for number in row[:width]) for row in rows[:height])


Cross = Number | CrossProducts


@dataclass(frozen=True)
class Adjusted:
    """An outcome and one covariate of the same customers; `sum_products` is the sum of outcome × covariate.

    Ratios need the four sums of CrossProducts. Several covariates: MultiAdjusted.
    """

    post: Plain
    pre: Plain
    sum_products: Cross

    def __post_init__(self) -> None:
        self.columns  # noqa: B018  (raises for sums that do not belong together)

    @classmethod
    def of(cls, post: Iterable[Number], pre: Iterable[Number]) -> "Adjusted":
        """Of two values for each customer."""
        outcome, before = exact_list(post), exact_list(pre)
        products = sum(y * x for y, x in zip(outcome, before, strict=True))
        return cls(Mean.of(outcome), Mean.of(before), products)

    def __add__(self, other: "Adjusted") -> "Adjusted":
        return Adjusted(
            add_plain(self.post, other.post),
            add_plain(self.pre, other.pre),
            _add_cross(self.sum_products, other.sum_products),
        )

    @property
    def n(self) -> int:
        return self.post.n

    @property
    def value(self) -> float | None:
        """As measured, without adjustment: only the difference of two groups is adjusted."""
        return self.post.value

    @property
    def variance(self) -> float | None:
        """What the covariate leaves unexplained, between customers; None with fewer than three."""
        return self.columns.residual_variance() if self.n > 2 and self.value is not None else None

    @property
    def columns(self) -> Columns:
        cross = _as_cross(self.sum_products).matrix(self.post, self.pre)
        return self.post.columns.joined(self.pre.columns, cross)


@dataclass(frozen=True)
class MultiAdjusted:
    """An outcome and several covariates.

    `sum_products` has one entry for each covariate (outcome × it), `pre_products` one for each pair of
    covariates, in the order (0, 1), (0, 2), …, (1, 2), …
    """

    post: Plain
    pre: tuple[Plain, ...]
    sum_products: tuple[Cross, ...]
    pre_products: tuple[Cross, ...] = ()

    def __post_init__(self) -> None:
        pairs = len(self.pre) * (len(self.pre) - 1) // 2
        if len(self.sum_products) != len(self.pre) or len(self.pre_products) != pairs:
            raise ValueError("one sum of products for each covariate, and one for each pair of covariates")
        self.columns  # noqa: B018  (raises for sums that do not belong together)

    @classmethod
    def of(cls, post: Iterable[Number], pre: Sequence[Iterable[Number]]) -> "MultiAdjusted":
        """`pre` has one series of values for each covariate."""
        outcome, before = exact_list(post), [exact_list(values) for values in pre]
        return cls(
            Mean.of(outcome),
            tuple(Mean.of(values) for values in before),
            tuple(_dot(outcome, values) for values in before),
            tuple(_dot(one, other) for one, other in combinations(before, 2)),
        )

    def __add__(self, other: "MultiAdjusted") -> "MultiAdjusted":
        return MultiAdjusted(
            add_plain(self.post, other.post),
            tuple(add_plain(a, b) for a, b in zip(self.pre, other.pre, strict=True)),
            tuple(_add_cross(a, b) for a, b in zip(self.sum_products, other.sum_products, strict=True)),
            tuple(_add_cross(a, b) for a, b in zip(self.pre_products, other.pre_products, strict=True)),
        )

    @property
    def n(self) -> int:
        return self.post.n

    @property
    def value(self) -> float | None:
        """As measured, without adjustment."""
        return self.post.value

    @property
    def variance(self) -> float | None:
        """What the covariates leave unexplained; None with too few customers for so many."""
        enough = self.n > len(self.pre) + 1 and self.value is not None
        return self.columns.residual_variance() if enough else None

    @property
    def columns(self) -> Columns:
        pairs = dict(zip(combinations(range(len(self.pre)), 2), self.pre_products, strict=True))
        joined = self.post.columns
        for index, (covariate, products) in enumerate(zip(self.pre, self.sum_products, strict=True)):
            cross = _as_cross(products).matrix(self.post, covariate)
            for earlier in range(index):
                cross += _as_cross(pairs[earlier, index]).matrix(self.pre[earlier], covariate)
            joined = joined.joined(covariate.columns, cross)
        return joined


def add_plain(one: Plain, other: Plain) -> Plain:
    """Raises TypeError for different kinds."""
    if isinstance(one, Mean) and isinstance(other, Mean):
        return one + other
    if isinstance(one, Proportion) and isinstance(other, Proportion):
        return one + other
    if isinstance(one, Ratio) and isinstance(other, Ratio):
        return one + other
    raise TypeError("only statistics of the same kind can be added")


def _as_cross(products: Cross) -> CrossProducts:
    return products if isinstance(products, CrossProducts) else CrossProducts(products)


def _add_cross(one: Cross, other: Cross) -> Cross:
    if isinstance(one, CrossProducts) or isinstance(other, CrossProducts):
        return _as_cross(one) + _as_cross(other)
    return add_numbers(one, other)


def _add_optional(one: Number | None, other: Number | None) -> Number | None:
    if one is None or other is None:
        if one is not other:
            raise ValueError("only cross products of the same parts can be added")
        return None
    return add_numbers(one, other)


def _dot(one: list[Number], other: list[Number]) -> Number:
    return sum(a * b for a, b in zip(one, other, strict=True))  # type: ignore[operator,misc]
