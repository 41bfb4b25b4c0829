"""The vectors of a tensor's modes, and least squares in turns over them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.algorithms._cells import Cells, Doubles, Mode
from recommender.algorithms._interactions import Ints
from recommender.algorithms._tensor_kernels import solve_mode

USER, ITEM, CONTEXT = 0, 1, 2
BLOCK_VISITS = 100_000


@dataclass(frozen=True)
class Vectors:
    """`stacked` float64[rows of all modes, factors]; mode m begins at `offsets[m]`. The last row of a
    context is all ones, the mean of its values: an unknown one.
    """

    stacked: Doubles
    offsets: Ints

    @classmethod
    def of(cls, tables: Sequence[Doubles]) -> "Vectors":
        ends = np.cumsum([0, *(len(table) for table in tables)])
        return cls(np.concatenate(tables), ends.astype(np.int64))

    def __getitem__(self, mode: int) -> Doubles:
        return self.stacked[self.offsets[mode] : self.offsets[mode + 1]]


@dataclass(frozen=True)
class Setting:
    """`alpha` None is for ratings: only observed cells count."""

    alpha: float | None
    regularization: float
    context_regularization: float


class Solver:
    """Improves `vectors` in place, one mode at a time. The mean of a context's vectors stays 1."""

    def __init__(self, vectors: Vectors, cells: Cells, modes: Sequence[Mode], setting: Setting) -> None:
        self._vectors = vectors
        self._cells = cells
        self._modes = modes
        self._setting = setting
        self._places: dict[tuple[str, int], tuple[Ints, Ints]] = {}
        if setting.alpha is None:
            self.weights, self.targets = np.ones_like(cells.amounts), cells.amounts
            self._visits = Cells(cells.codes[:, :0], cells.amounts[:0])
        else:
            self.weights = self.targets = setting.alpha * cells.amounts
            self._visits = cells.visits()
        self._nothing = np.zeros_like(self._visits.amounts)

    def solve(self, mode: int) -> None:
        """Users and items by a ridge towards 0, contexts towards 1."""
        vectors, visits, cells = self._vectors, self._visits, self._cells
        base, gram = self.base(mode)
        # Visits have no item: for items they are in the base, the same for all.
        visit_order, visit_indptr = self._by("visits", mode, visits) if mode != ITEM else self._none(mode)
        order, indptr = self._by("cells", mode, cells)
        solve_mode(
            mode, vectors.offsets, vectors.stacked, base, gram,
            visit_indptr, visit_order, visits.codes, visits.amounts, self._nothing,
            indptr, order, cells.codes, self.weights, self.targets,
            self.ridges(mode), 1.0 if mode >= CONTEXT else 0.0,
        )  # fmt: skip
        if mode >= CONTEXT:
            # Were their mean free, contexts would take over size from users and items, whose ridge then
            # holds nothing back.
            values = vectors[mode][:-1]
            values += 1.0 - self._modes[mode - CONTEXT].shares @ values

    def base(self, mode: int) -> tuple[Doubles, Doubles]:
        """What unobserved cells bring for all rows, and what a row's own visits are multiplied with.

        An unobserved cell weighs the share of its user's amounts that its context has: what is not bought
        where somebody never is tells nothing.
        """
        size = self._vectors.stacked.shape[1]
        base, items = np.zeros((size, size)), self._vectors[ITEM]
        if mode != ITEM:
            return base, items.T @ items
        codes, shares = self._visits.codes, self._visits.amounts
        for start in range(0, len(shares), BLOCK_VISITS):
            span = slice(start, start + BLOCK_VISITS)
            seen = self._vectors[USER][codes[USER, span]]
            for other in range(CONTEXT, len(codes)):
                seen = seen * self._vectors[other][codes[other, span]]
            base += (seen.T * shares[span]) @ seen
        return base, np.ones((size, size))

    def ridges(self, mode: int) -> Doubles:
        """By frequency, as in `als`; of contexts relative to their data, which the kernel sees."""
        order, indptr = self._by("cells", mode, self._cells)
        counts = np.diff(indptr)
        if mode >= CONTEXT:
            return np.full(len(counts), -self._setting.context_regularization)
        if self._setting.alpha is None:
            return np.asarray(self._setting.regularization * np.maximum(counts, 1.0))
        extra = np.concatenate([[0.0], np.cumsum(self.weights[order])])
        cells = len(self._vectors[ITEM if mode == USER else USER])
        return np.asarray(self._setting.regularization * (cells + np.diff(extra[indptr])))

    def _by(self, name: str, mode: int, cells: Cells) -> tuple[Ints, Ints]:
        """The cells sorted by their code in this mode, and where each code's begin."""
        if (name, mode) not in self._places:
            codes = cells.codes[mode]
            order = np.argsort(codes, kind="stable")
            indptr = np.searchsorted(codes[order], np.arange(self._rows(mode) + 1)).astype(np.int64)
            self._places[name, mode] = order, indptr
        return self._places[name, mode]

    def _rows(self, mode: int) -> int:
        return len(self._vectors[mode]) - (mode >= CONTEXT)

    def _none(self, mode: int) -> tuple[Ints, Ints]:
        return np.zeros(0, dtype=np.int64), np.zeros(self._rows(mode) + 1, dtype=np.int64)
