"""Events with context as the observed cells of a tensor: user × item × one mode for each context column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms._baseline import rows_of
from recommender.algorithms._interactions import Interactions, Ints

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
NO_CONTEXT = ("users", "items", "weights", "timestamps")


@dataclass(frozen=True)
class Mode:
    """One context column: its different `values`, sorted, and the share of all events that each has.

    The code of a value is its place; one more code, the last, stands for an unknown one.
    """

    name: str
    values: npt.NDArray[Any]
    shares: Doubles

    @classmethod
    def of(cls, name: str, column: npt.NDArray[Any]) -> "Mode":
        values, counts = np.unique(column, return_counts=True)
        return cls(name, values, counts / max(counts.sum(), 1))

    @property
    def unknown(self) -> int:
        return len(self.values)

    def codes(self, column: npt.ArrayLike) -> Codes:
        """Numbers and texts of numbers are the same value."""
        given = np.asarray(column)
        known = self.values
        if given.dtype.kind != known.dtype.kind:
            given, known = given.astype(str), known.astype(str)
        order = np.argsort(known, kind="stable")
        places = np.minimum(np.searchsorted(known[order], given), max(len(known) - 1, 0))
        if not len(known):
            return np.zeros(len(given), dtype=np.int32)
        return np.where(known[order][places] == given, order[places], self.unknown).astype(np.int32)


@dataclass(frozen=True)
class Cells:
    """`codes` int32[2 + contexts, n]: user, item and context codes. `amounts` float64[n]."""

    codes: Codes
    amounts: Doubles

    def visits(self) -> "Cells":
        """The contexts each user was seen in: item code −1, amounts the shares of the user's amounts."""
        keys = self.codes[0].astype(np.int64)
        for codes in self.codes[2:]:
            keys = keys * (codes.max(initial=0) + 1) + codes
        _, first, numbers = np.unique(keys, return_index=True, return_inverse=True)
        codes = self.codes[:, first].copy()
        codes[1] = -1
        sums = np.bincount(numbers, weights=self.amounts, minlength=len(first))
        totals = np.bincount(codes[0], weights=sums)
        return Cells(codes, sums / np.maximum(totals, 1e-12)[codes[0]])


def modes_of(interactions: Interactions, columns: Sequence[str] | None) -> tuple[Mode, ...]:
    """The context columns among the events: all of them, or those named; raises ValueError if one lacks."""
    found = [name for name in interactions.events if name not in NO_CONTEXT]
    wanted = sorted(found) if columns is None else list(columns)
    missing = set(wanted) - set(found)
    if missing:
        raise ValueError(f"there is no context column {', '.join(sorted(missing))}; there are: {found}")
    return tuple(Mode.of(name, interactions.events[name]) for name in wanted)


def cells_of(interactions: Interactions, modes: Sequence[Mode], *, is_explicit: bool) -> Cells:
    """Ratings: the mean of a cell. Amounts: a pair's weight, spread over its cells by their events.

    Histories whose events lack a column are pairs in an unknown context.
    """
    if not modes or any(mode.name not in interactions.events for mode in modes):
        return _pairs(interactions, modes)
    pairs, kept = _pair_numbers(interactions)
    combos = np.zeros(len(kept), dtype=np.int64)
    for mode in modes:
        combos = combos * (mode.unknown + 1) + mode.codes(interactions.events[mode.name][kept])
    width = int(np.prod([mode.unknown + 1 for mode in modes]))
    cells, numbers = np.unique(pairs * width + combos, return_inverse=True)
    weights = np.asarray(interactions.events["weights"], dtype=np.float64)[kept]
    sums = np.bincount(numbers, weights=weights, minlength=len(cells))
    of_pair, rest = cells // width, cells % width
    if is_explicit:
        amounts = sums / np.maximum(np.bincount(numbers, minlength=len(cells)), 1)
    else:
        taken = np.maximum(sums, 0.0)
        totals = np.bincount(of_pair, weights=taken, minlength=len(interactions.items))
        amounts = interactions.weights[of_pair] * taken / np.maximum(totals, 1e-12)[of_pair]
    codes = []
    for mode in reversed(modes):
        codes.append(rest % (mode.unknown + 1))
        rest = rest // (mode.unknown + 1)
    stacked = [rows_of(interactions)[of_pair], interactions.items[of_pair], *reversed(codes)]
    return Cells(np.array(stacked, dtype=np.int32), np.asarray(amounts))


def _pairs(interactions: Interactions, modes: Sequence[Mode]) -> Cells:
    unknown = [np.full(len(interactions.items), mode.unknown) for mode in modes]
    codes = np.array([rows_of(interactions), interactions.items, *unknown], dtype=np.int32)
    return Cells(codes, interactions.weights.astype(np.float64))


def _pair_numbers(interactions: Interactions) -> tuple[Ints, Ints]:
    """For each event whose pair counts, the number of the pair; and which events these are."""
    width = max(interactions.n_items, 1)
    keys = rows_of(interactions) * width + interactions.items
    asked = interactions.events["users"] * width + interactions.events["items"]
    if not len(keys):
        return keys, keys
    places = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    kept = np.flatnonzero(keys[places] == asked)
    return places[kept], kept
