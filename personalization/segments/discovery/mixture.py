"""Groups that may overlap, as a mixture of Gaussians: each with a center, spreads and a share of its own.

The number of groups and the form of their spreads (any ellipsoid, or one along the axes) are those of the
lowest BIC (Fraley and Raftery, Model-Based Clustering, Discriminant Analysis, and Density Estimation, 2002,
section 2), among those without a tiny group. One is a number, too: then there are no groups.
Pure: NumPy, scikit-learn.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.segments.discovery.groups import (
    LEAST_CUSTOMERS,
    LEAST_SHARE,
    MOST_GROUPS,
    Labels,
)
from personalization.segments.discovery.scaling import Table

FORMS = ("full", "diag")
STARTS = 2
# Variance that every group has at least, of columns of variance 1: many profiles are equal in a column
# (nothing bought, no interest), and a group without any width there would be infinitely likely.
LEAST_VARIANCE = 0.01


@dataclass(frozen=True)
class TriedMixture:
    """`sure`: the mean, over all customers, of the chance that one is in the group that one is put in."""

    groups: int
    form: str
    bic: float
    sure: float
    smallest: float

    @property
    def holds(self) -> bool:
        return self.smallest >= LEAST_SHARE


@dataclass(frozen=True)
class Mixture:
    """`fitted`: scikit-learn's, None where one group describes the customers best. `tried`: of each number
    the better form."""

    fitted: Any
    labels: Labels
    tried: list[TriedMixture]

    @property
    def number(self) -> int:
        return len(self.fitted.weights_) if self.fitted else 0

    def assign(self, table: Table) -> Labels:
        """The likeliest group of each row."""
        return np.asarray(self.fitted.predict(table), dtype=np.int64)

    def to_json(self) -> dict[str, Any]:
        return {
            "form": self.fitted.covariance_type, "weights": self.fitted.weights_.tolist(),
            "means": self.fitted.means_.tolist(), "covariances": self.fitted.covariances_.tolist(),
        }  # fmt: skip


def find_mixture(table: Table, *, seed: int = 0) -> Mixture:
    """`table`: (customers, columns), scaled. Raises ValueError for fewer than LEAST_CUSTOMERS."""
    if len(table) < LEAST_CUSTOMERS:
        raise ValueError(f"at least {LEAST_CUSTOMERS} customers are needed")
    tried: list[TriedMixture] = []
    best: tuple[float, Any] | None = None
    for number in range(1, MOST_GROUPS + 1):
        told, fitted = min(
            (_fit(table, number, form=form, seed=seed) for form in FORMS), key=lambda fit: fit[0].bic
        )
        tried.append(told)
        if told.holds and (best is None or told.bic < best[0]):
            best = told.bic, fitted
    fitted = best[1] if best else None
    if fitted is None or len(fitted.weights_) == 1:
        return Mixture(None, np.zeros(len(table), dtype=np.int64), tried)
    return Mixture(fitted, np.asarray(fitted.predict(table), dtype=np.int64), tried)


def _fit(table: NDArray[np.float64], number: int, *, form: str, seed: int) -> tuple[TriedMixture, Any]:
    from sklearn.mixture import GaussianMixture

    fitted = GaussianMixture(
        number, covariance_type=form, reg_covar=LEAST_VARIANCE, n_init=STARTS, max_iter=300, random_state=seed
    ).fit(table)
    chances = fitted.predict_proba(table)
    sizes = np.bincount(chances.argmax(axis=1), minlength=number)
    told = TriedMixture(
        groups=number, form=form, bic=round(float(fitted.bic(table)), 1),
        sure=round(float(chances.max(axis=1).mean()), 3), smallest=float(sizes.min() / len(table)),
    )  # fmt: skip
    return told, fitted
