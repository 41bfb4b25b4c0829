"""Numbers about customers made comparable. Pure: NumPy alone; what is learned goes to JSON and back."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]
SKEWED = 1.0
FARTHEST = 3.0  # standard deviations: a single giant must not be a group of its own


@dataclass(frozen=True)
class Scaling:
    """One entry per column: whether it is taken by its logarithm, what stands for a missing one, mean and
    standard deviation; `kept`: the columns that differ between customers at all."""

    logged: list[bool]
    missing: list[float]
    mean: list[float]
    deviation: list[float]
    kept: list[int]

    def apply(self, table: Table) -> Table:
        """(customers, columns) with NaN for unknown → (customers, kept columns), without."""
        filled = np.where(np.isnan(table), self.missing, table)
        logged = np.array(self.logged, dtype=bool)
        filled = np.where(logged, np.log1p(np.maximum(filled, 0)), filled)
        scaled = (filled - np.array(self.mean)) / np.array(self.deviation)
        return np.clip(scaled[:, self.kept], -FARTHEST, FARTHEST)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def learn_scaling(table: Table) -> Scaling:
    """Amounts and counts that are far from symmetric are taken by their logarithm."""
    columns = table.shape[1]
    known = ~np.isnan(table)
    missing = [
        float(np.median(table[known[:, at], at])) if known[:, at].any() else 0.0 for at in range(columns)
    ]
    filled = np.where(known, table, missing)
    logged = np.array([_is_skewed(filled[:, at]) for at in range(columns)], dtype=bool)
    filled = np.where(logged, np.log1p(np.maximum(filled, 0)), filled)
    deviation = filled.std(axis=0)
    kept = np.flatnonzero(deviation > 1e-9)
    return Scaling(
        logged=logged.tolist(), missing=missing, mean=filled.mean(axis=0).tolist(),
        deviation=np.where(deviation > 1e-9, deviation, 1.0).tolist(), kept=kept.tolist(),
    )  # fmt: skip


def _is_skewed(column: NDArray[np.float64]) -> bool:
    deviation = float(column.std())
    if column.min() < 0 or column.max() <= 1 or deviation == 0:
        return False
    return float((((column - column.mean()) / deviation) ** 3).mean()) > SKEWED
