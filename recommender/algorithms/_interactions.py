"""Who did what how much: the one input of every algorithm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
COLUMNS = ("indptr", "items", "weights", "timestamps", "first_timestamps", "counts")


@dataclass(frozen=True)
class Interactions:
    """Users × items with weights, as compressed sparse rows; at most one entry per pair.

    `indptr` int64[n_users + 1], `items` int64[n], `weights` float32[n] (of merged entries the sum). Of the
    merged entries of a pair: `counts` int64[n] how many, `timestamps` int64[n] the latest in seconds and
    `first_timestamps` the earliest; each None where unknown. `events` keeps the unmerged rows, for models
    that learn from context columns.
    """

    indptr: Ints
    items: Ints
    weights: Floats
    n_items: int
    timestamps: Ints | None = None
    first_timestamps: Ints | None = None
    counts: Ints | None = None
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
        extra = {name: _plain(column) for name, column in (context or {}).items()}
        for name, column in {"items": columns, "weights": values, "timestamps": times, **extra}.items():
            if column is not None and column.shape != rows.shape:
                raise ValueError(f"{name} has shape {column.shape}, users has {rows.shape}")
        if not np.isfinite(values).all():
            raise ValueError("weights must be finite: NaN or infinity found")
        n_users, n_items = _shape(rows, columns, shape)
        merged = _merge(rows, columns, values, times, shape=(n_users, n_items))
        if not extra:
            return merged
        events = {"users": rows, "items": columns, "weights": values, **extra}
        return replace(merged, events=events if times is None else {**events, "timestamps": times})

    @classmethod
    def from_histories(
        cls, histories: Sequence[Sequence[int]], *, n_items: int, until: int = 0
    ) -> "Interactions":
        """One row per history, a sequence of item numbers, oldest first; an item named twice weighs 2.

        Timestamps are made up so that the order is kept: one second apart, the last one at `until`.
        """
        lengths = np.array([len(history) for history in histories], dtype=np.int64)
        ends = np.repeat(np.cumsum(lengths), lengths)
        return cls.from_arrays(
            users=np.repeat(np.arange(len(lengths)), lengths),
            items=np.array([item for history in histories for item in history], dtype=np.int64),
            timestamps=until + 1 + np.arange(len(ends)) - ends,
            shape=(len(lengths), n_items),
        )

    @classmethod
    def from_columns(cls, columns: Mapping[str, npt.NDArray[Any]], *, n_items: int) -> "Interactions":
        """The reverse of `columns`. Raises TypeError when one that is needed is missing."""
        events = {name[6:]: column for name, column in columns.items() if name.startswith("event.")}
        own: dict[str, Any] = {name: columns[name] for name in COLUMNS if name in columns}
        return cls(n_items=n_items, events=events, **own)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """All that is known as plain arrays by name, for a file."""
        own = {name: getattr(self, name) for name in COLUMNS}
        events = {f"event.{name}": column for name, column in self.events.items()}
        return {name: column for name, column in own.items() if column is not None} | events

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
        """The histories of `users` in that order, with their events; an empty one for a number outside."""
        wanted = np.asarray(users, dtype=np.int64)
        found = self._taken(*_spans(self.indptr, wanted))
        if not self.events:
            return found
        order, indptr = self._events_by_user
        places, ends = _spans(indptr, wanted)
        events = {name: column[order[places]] for name, column in self.events.items()}
        events["users"] = np.repeat(np.arange(len(wanted)), np.diff(ends))
        return replace(found, events=events)

    @cached_property
    def _events_by_user(self) -> tuple[Ints, Ints]:
        """Places of the events, sorted by user, and where each user's begin."""
        users = self.events["users"]
        order = np.argsort(users, kind="stable")
        return order, np.searchsorted(users[order], np.arange(self.n_users + 1)).astype(np.int64)

    def positive(self) -> "Interactions":
        """Without the pairs that add up to nothing or less, such as a purchase that was returned."""
        keep = self.weights > 0
        if keep.all():
            return self
        indptr = np.concatenate([[0], np.cumsum(keep)])[self.indptr].astype(np.int64)
        return replace(self._taken(np.flatnonzero(keep), indptr), events=self.events)

    def damped(self) -> "Interactions":
        """Weights log2(1 + w): one purchase counts 1, a hundred of the same item 6.7 and not 100."""
        return replace(self, weights=np.log2(1 + np.maximum(self.weights, 0)).astype(np.float32))

    def averaged(self) -> "Interactions":
        """Weights as the mean of the merged entries instead of their sum: what repeated ratings mean."""
        if self.counts is None:
            return self
        return replace(self, weights=(self.weights / self.counts).astype(np.float32), counts=None)

    def rated(self, rating: float) -> "Interactions":
        """The same pairs, each with this weight."""
        return replace(self, weights=np.full(len(self.items), rating, dtype=np.float32), counts=None)

    def sequences(self) -> tuple[Ints, Ints]:
        """Item numbers of each row in the order of their latest timestamps, with `indptr` as it is.

        Equal or no timestamps: by item number.
        """
        if self.timestamps is None:
            return self.items, self.indptr
        rows = np.repeat(np.arange(self.n_users), np.diff(self.indptr))
        return self.items[np.lexsort((self.timestamps, rows))], self.indptr

    def _taken(self, places: Ints, indptr: Ints) -> "Interactions":
        def of(column: Ints | None) -> Ints | None:
            return None if column is None else column[places]

        return Interactions(
            indptr, self.items[places], self.weights[places], self.n_items,
            of(self.timestamps), of(self.first_timestamps), of(self.counts),
        )  # fmt: skip


def _spans(indptr: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Places of those rows' entries, one row after the other, and their `indptr`; a number outside is
    empty.
    """
    known = (rows >= 0) & (rows < len(indptr) - 1)
    safe = np.where(known, rows, 0)
    padded = indptr if len(indptr) > 1 else np.zeros(2, dtype=np.int64)
    lengths = np.where(known, padded[safe + 1] - padded[safe], 0)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return np.arange(ends[-1]) + np.repeat(padded[safe] - ends[:-1], lengths), ends


def _numbers(values: npt.ArrayLike, name: str) -> Ints:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, has shape {array.shape}")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be whole numbers, are {array.dtype}")
    return array.astype(np.int64)


def _plain(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Objects as texts: arrays of objects cannot be kept in a file."""
    array = np.asarray(values)
    return array.astype(str) if array.dtype == object else array


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
    rows: Ints, columns: Ints, values: npt.NDArray[np.float64], times: Ints | None, *, shape: tuple[int, int]
) -> Interactions:
    """Sorts by user and item and adds up duplicates; deterministic whatever the order of the events."""
    n_users, n_items = shape
    width = max(n_items, 1)
    key = rows * width + columns
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else key
    pairs = key[first]
    some = bool(len(first))
    summed = np.add.reduceat(values[order], first) if some else values[:0]
    latest = earliest = None
    if times is not None:
        latest = np.maximum.reduceat(times[order], first) if some else times[:0]
        earliest = np.minimum.reduceat(times[order], first) if some else times[:0]
    return Interactions(
        indptr=np.searchsorted(pairs, np.arange(n_users + 1) * width).astype(np.int64),
        items=pairs % width,
        weights=summed.astype(np.float32),
        n_items=n_items,
        timestamps=latest,
        first_timestamps=earliest,
        counts=np.diff(np.append(first, len(key))).astype(np.int64),
    )
