"""Several quantities per customer at once: their sums and products, exactly, and the covariances that follow.

Every statistic that is an average, or a quotient or a combination of averages, becomes such columns; one
piece of algebra (`contrast`) then serves means, ratios, covariates and strata alike.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Number = int | float | Decimal
Array = NDArray[np.float64]

# Sums of doubles miss by about this share; more than that is a wrong sum, not a rounding.
ROUNDING = Fraction(1, 10**9)


@dataclass(frozen=True)
class Columns:
    """`products[i][j]` is the sum over customers of column i times column j.

    `widths` groups the columns: 1 is a quantity, 2 a numerator followed by its denominator. The first group
    is the outcome, the others are covariates. The variance divides by n − `divisor_less`.
    """

    n: int
    sums: tuple[Fraction, ...]
    products: tuple[tuple[Fraction, ...], ...]
    widths: tuple[int, ...]
    divisor_less: int = 1

    def __add__(self, other: "Columns") -> "Columns":
        return Columns(
            self.n + other.n,
            tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            tuple(
                tuple(a + b for a, b in zip(mine, yours, strict=True))
                for mine, yours in zip(self.products, other.products, strict=True)
            ),
            self.widths,
            max(self.divisor_less, other.divisor_less),
        )

    def joined(self, other: "Columns", cross: tuple[tuple[Fraction, ...], ...]) -> "Columns":
        """Both side by side; `cross` are the products of own columns (rows) with the other's."""
        if self.n != other.n:
            raise ValueError("outcome and covariate must be of the same customers")
        upper = tuple(mine + row for mine, row in zip(self.products, cross, strict=True))
        lower = tuple(tuple(row[i] for row in cross) + yours for i, yours in enumerate(other.products))
        return Columns(
            self.n,
            self.sums + other.sums,
            upper + lower,
            self.widths + other.widths,
            max(self.divisor_less, other.divisor_less),
        )

    @property
    def outcome(self) -> "Columns":
        """Without covariates."""
        width = self.widths[0]
        products = tuple(row[:width] for row in self.products[:width])
        return Columns(self.n, self.sums[:width], products, self.widths[:1], self.divisor_less)

    def means(self) -> Array:
        return np.array([float(total / self.n) for total in self.sums])

    def covariance(self) -> Array:
        """Between customers; at least two are needed."""
        size, less = len(self.sums), self.n - self.divisor_less
        found = np.empty((size, size))
        for i in range(size):
            for j in range(i, size):
                deviation = self.products[i][j] - self.sums[i] * self.sums[j] / self.n
                found[i, j] = found[j, i] = float(deviation / less)
            found[i, i] = max(found[i, i], 0.0)
        return found

    def parts(self) -> tuple[Array, Array]:
        """`linearize` at these means."""
        return linearize(self.means(), self.widths)

    def residual_variance(self) -> float:
        """Between customers, of the outcome after its best linear prediction from the covariates."""
        _, gradients = self.parts()
        spread = gradients @ self.covariance() @ gradients.T
        slopes = solve(spread[1:, 1:], spread[1:, 0])
        return max(float(spread[0, 0] - slopes @ spread[1:, 0]), 0.0)


def linearize(means: Array, widths: tuple[int, ...]) -> tuple[Array, Array]:
    """Value of each group and its derivative with respect to every column (delta method for quotients).

    The derivatives of numerator/denominator = R are 1/D and −R/D.
    """
    values, gradients, at = np.empty(len(widths)), np.zeros((len(widths), len(means))), 0
    for part, width in enumerate(widths):
        if width == 1:
            values[part], gradients[part, at] = means[at], 1.0
        else:
            top, bottom = means[at], means[at + 1]
            values[part] = top / bottom
            gradients[part, at : at + 2] = 1 / bottom, -top / bottom**2
        at += width
    return values, gradients


def solve(spread: Array, target: Array) -> Array:
    """Regression slopes; columns without variance or that repeat others get none of the weight."""
    scale = np.sqrt(np.diag(spread))
    scale = np.where(scale > 0, scale, 1.0)
    inverse = np.linalg.pinv(spread / np.outer(scale, scale), rcond=1e-10, hermitian=True)
    return np.asarray(inverse @ (target / scale) / scale)


def add_numbers(one: Number, other: Number) -> Number:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return one + other
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return float(Fraction(one) + Fraction(other))
    return one + other


def exact(value: Any) -> Any:
    """A number of numpy as one of Python's, whose integers do not overflow."""
    return value.item() if isinstance(value, np.generic) else value


def exact_list(values: Iterable[Any]) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else [exact(value) for value in values]
