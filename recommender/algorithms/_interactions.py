"""Who did what how much: the one input of every algorithm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Histories = "Interactions | Sequence[Sequence[int]]"


@dataclass(frozen=True)
class Interactions:
    """Users × items with weights, as compressed sparse rows; at most one entry per pair.

    `indptr` int64[n_users + 1], `items` int64[n], `weights` float32[n], `timestamps` int64[n] (seconds,
    the latest of merged entries) or None. `events` keeps the unmerged rows, for models that learn from
    context columns.
    """

    indptr: Ints
    items: Ints
    weights: Floats
    n_items: int
    timestamps: Ints | None = None
    events: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def from_arrays(
        cls,
        *,
        users: npt.ArrayLike,
        items: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        timestamps: npt.ArrayLike | None = None,
        context: Mapping[str, npt.ArrayLike] | None = None,
        shape: tuple[int, int] | None = None,
    ) -> "Interactions":
        """Columns of equal length, one row per event. Weights (default 1) of the same pair are added up.

        `shape` is (n_users, n_items), by default just large enough. With `context`, `events` holds the
        columns users, items, weights, timestamps (if given) and each context column, unmerged.
        Raises ValueError on NaN or infinite weights, negative or too large numbers, unequal lengths.
        """
        rows, columns = _numbers(users, "users"), _numbers(items, "items")
        values = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
        times = None if timestamps is None else np.asarray(timestamps, dtype=np.int64)
        extra = {name: np.asarray(column) for name, column in (context or {}).items()}
        for name, column in {"items": columns, "weights": values, "timestamps": times, **extra}.items():
            if column is not None and column.shape != rows.shape:
                raise ValueError(f"{name} has shape {column.shape}, users has {rows.shape}")
        if not np.isfinite(values).all():
            raise ValueError("weights must be finite: NaN or infinity found")
        n_users, n_items = _shape(rows, columns, shape)
        merged = _merge(rows, columns, values, times, n_users=n_users, n_items=n_items)
        if extra:
            columns_of = {"users": rows, "items": columns, "weights": values, **extra}
            if times is not None:
                columns_of["timestamps"] = times
            return cls(*merged[:3], n_items=n_items, timestamps=merged[3], events=columns_of)
        return cls(*merged[:3], n_items=n_items, timestamps=merged[3])

    @classmethod
    def from_histories(cls, histories: Sequence[Sequence[int]], *, n_items: int) -> "Interactions":
        """One row per history, a sequence of item numbers; an item named twice weighs 2."""
        lengths = [len(history) for history in histories]
        return cls.from_arrays(
            users=np.repeat(np.arange(len(lengths)), lengths),
            items=np.array([item for history in histories for item in history], dtype=np.int64),
            shape=(len(lengths), n_items),
        )

    @property
    def n_users(self) -> int:
        return len(self.indptr) - 1

    @property
    def shape(self) -> tuple[int, int]:
        return self.n_users, self.n_items

    @property
    def matrix(self) -> sparse.csr_matrix:
        """float32 CSR on the same memory. Its index type is int32 where that is enough (implicit asks for
        it).
        """
        kind = np.int32 if max(len(self.items), self.n_items) < 2**31 else np.int64
        return sparse.csr_matrix(
            (self.weights, self.items.astype(kind), self.indptr.astype(kind)), shape=self.shape
        )

    def row(self, user: int) -> tuple[Ints, Floats]:
        """Item numbers and weights of one user; empty for a user number outside."""
        if not 0 <= user < self.n_users:
            return self.items[:0], self.weights[:0]
        span = slice(self.indptr[user], self.indptr[user + 1])
        return self.items[span], self.weights[span]

    def rows(self, users: npt.ArrayLike) -> "Interactions":
        """The histories of `users` in that order; an empty one for a number outside."""
        wanted = np.asarray(users, dtype=np.int64)
        known = (wanted >= 0) & (wanted < self.n_users)
        safe = np.where(known, wanted, 0)
        padded = self.indptr if self.n_users else np.zeros(2, dtype=np.int64)
        lengths = np.where(known, padded[safe + 1] - padded[safe], 0)
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        take = np.arange(indptr[-1]) + np.repeat(padded[safe] - indptr[:-1], lengths)
        times = None if self.timestamps is None else self.timestamps[take]
        return Interactions(indptr, self.items[take], self.weights[take], self.n_items, times)

    def positive(self) -> "Interactions":
        """Without the pairs that add up to nothing or less, such as a purchase that was returned."""
        keep = self.weights > 0
        if keep.all():
            return self
        indptr = np.concatenate([[0], np.cumsum(keep)])[self.indptr].astype(np.int64)
        times = None if self.timestamps is None else self.timestamps[keep]
        return Interactions(indptr, self.items[keep], self.weights[keep], self.n_items, times)

    def damped(self) -> "Interactions":
        """Weights log2(1 + w): one purchase counts 1, a hundred of the same item 6.7 and not 100."""
        return Interactions(
            self.indptr, self.items, np.log2(1 + np.maximum(self.weights, 0)), self.n_items, self.timestamps
        )


def _numbers(values: npt.ArrayLike, name: str) -> Ints:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, has shape {array.shape}")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be whole numbers, are {array.dtype}")
    return array.astype(np.int64)


def _shape(rows: Ints, columns: Ints, shape: tuple[int, int] | None) -> tuple[int, int]:
    if len(rows) and min(rows.min(), columns.min()) < 0:
        raise ValueError("user and item numbers must not be negative")
    needed = (int(rows.max()) + 1, int(columns.max()) + 1) if len(rows) else (0, 0)
    if shape is None:
        return needed
    if needed[0] > shape[0] or needed[1] > shape[1]:
        raise ValueError(f"numbers up to {needed} do not fit into shape {shape}")
    return shape


def _merge(
    rows: Ints,
    columns: Ints,
    values: npt.NDArray[np.float64],
    times: Ints | None,
    *,
    n_users: int,
    n_items: int,
) -> tuple[Ints, Ints, Floats, Ints | None]:
    """Sorts by user and item and adds up duplicates; deterministic whatever the order of the events."""
    key = rows * max(n_items, 1) + columns
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else key
    pairs = key[first]
    summed = np.add.reduceat(values[order], first) if len(first) else values[:0]
    latest = None
    if times is not None:
        latest = np.maximum.reduceat(times[order], first) if len(first) else times[:0]
    indptr = np.searchsorted(pairs, np.arange(n_users + 1) * max(n_items, 1)).astype(np.int64)
    return indptr, pairs % max(n_items, 1), summed.astype(np.float32), latest
