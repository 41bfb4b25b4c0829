"""What is known of customers, as columns, and the same as a matrix for a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Objects = NDArray[np.object_]
Integers = NDArray[np.intp]
Booleans = NDArray[np.bool_]

# A word that fewer customers have says too little; such words share one column.
RARE = 0.005


@dataclass(frozen=True)
class Table:
    """One entry per customer in every column. Unknown is NaN among numbers and None among words.

    A word is a text or a truth value. Raises ValueError for columns of different lengths.
    """

    numbers: Mapping[str, Floats] = field(default_factory=dict)
    words: Mapping[str, Objects] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len({len(column) for column in (*self.numbers.values(), *self.words.values())}) > 1:
            raise ValueError("all columns must have one length")

    def __len__(self) -> int:
        return next((len(column) for column in (*self.numbers.values(), *self.words.values())), 0)

    def rows(self, which: Integers | Booleans) -> "Table":
        return Table(
            {name: column[which] for name, column in self.numbers.items()},
            {name: column[which] for name, column in self.words.items()},
        )

    @property
    def names(self) -> list[str]:
        return [*self.numbers, *self.words]


class Encoder:
    """Numbers scaled to mean 0 and deviation 1, with a column for "unknown"; words as one column each."""

    def __init__(self, table: Table) -> None:
        """Learns scales and words from `table`, and fails with ValueError where it has no columns."""
        if not table.names:
            raise ValueError("nothing is known of the customers: there are no columns")
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        self._numbers: Any = None
        self._words: Any = None
        if table.numbers:
            imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
            self._numbers = make_pipeline(imputer, StandardScaler()).fit(_number_matrix(table))
        if table.words:
            encoder = OneHotEncoder(
                min_frequency=RARE, handle_unknown="infrequent_if_exist", sparse_output=False
            )
            self._words = encoder.fit(_word_matrix(table))

    def matrix(self, table: Table) -> Floats:
        """Customers × columns, without unknown values."""
        parts = []
        if self._numbers is not None:
            parts.append(self._numbers.transform(_number_matrix(table)))
        if self._words is not None:
            parts.append(self._words.transform(_word_matrix(table)))
        return np.hstack(parts).astype(np.float64)


def _number_matrix(table: Table) -> Floats:
    return np.column_stack(list(table.numbers.values()))


def _word_matrix(table: Table) -> Objects:
    texts = [np.array([str(word) for word in column], dtype=object) for column in table.words.values()]
    return np.column_stack(texts)
