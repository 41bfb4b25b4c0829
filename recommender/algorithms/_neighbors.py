"""What user and item neighbors share: lists to walk in both directions, and ratings as a base plus what
neighbors say.
"""

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recommender.algorithms._baseline import Baseline, Doubles
from recommender.algorithms._feedback import EitherRecommender
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._neighbor_kernels import MSD, NOTHING, PEARSON

Array = npt.NDArray[Any]
# Neighbors found together; a block of lists takes 12 bytes × neighbors × this.
BLOCK_ROWS = 1024
# The kernels let go of the interpreter's lock, so blocks are found side by side.
MAX_THREADS = 4
# Pairs rated together, so that memory does not grow with the number asked for.
BLOCK_PAIRS = 4_000_000


@dataclass(frozen=True)
class Lists:
    """Rows of numbers with amounts: `indptr` int64[n + 1], `numbers` int32, `amounts` of one dtype."""

    indptr: Ints
    numbers: npt.NDArray[np.int32]
    amounts: Array
    width: int

    @classmethod
    def of(cls, interactions: Interactions, amounts: Array) -> "Lists":
        """The users' lists of items, with `amounts` in the order of the entries."""
        return cls(interactions.indptr, interactions.items.astype(np.int32), amounts, interactions.n_items)

    @classmethod
    def of_matrix(cls, matrix: sparse.csr_matrix) -> "Lists":
        indptr, numbers = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
        return cls(indptr, numbers, matrix.data, matrix.shape[1])

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def matrix(self) -> sparse.csr_matrix:
        return sparse.csr_matrix((self.amounts, self.numbers, self.indptr), shape=(len(self), self.width))

    @property
    def norms(self) -> Doubles:
        """Euclidean, of each row."""
        squares = np.concatenate([[0.0], np.cumsum(self.amounts.astype(np.float64) ** 2)])
        return np.sqrt(np.maximum(np.diff(squares[self.indptr]), 0.0))

    @property
    def parts(self) -> tuple[Ints, npt.NDArray[np.int32], Array]:
        """As the kernels take them."""
        return self.indptr, self.numbers, self.amounts

    def turned(self) -> "Lists":
        """Columns as rows: of each item, its users."""
        return Lists.of_matrix(self.matrix.T.tocsr())

    def rows(self, start: int, stop: int) -> "Lists":
        first, last = self.indptr[start], self.indptr[stop]
        return Lists(
            self.indptr[start : stop + 1] - first,
            self.numbers[first:last],
            self.amounts[first:last],
            self.width,
        )


def nearest(
    n_rows: int, neighbors: int, find: Callable[[int, int, Floats, Ints], None]
) -> Iterator[tuple[int, Lists]]:
    """Blocks of rows with their nearest others, by number: the first row's number, and the lists.

    `find` fills scores and numbers of the rows start to stop, −1 where there are no more; it is called by
    several threads at once.
    """

    def found(start: int) -> tuple[int, Lists]:
        stop = min(start + BLOCK_ROWS, n_rows)
        scores = np.empty((stop - start, neighbors), dtype=np.float32)
        numbers = np.empty((stop - start, neighbors), dtype=np.int64)
        find(start, stop, scores, numbers)
        order = np.argsort(numbers, axis=1)
        numbers, scores = (
            np.take_along_axis(numbers, order, axis=1),
            np.take_along_axis(scores, order, axis=1),
        )
        real = numbers >= 0
        indptr = np.concatenate([[0], np.cumsum(real.sum(axis=1))]).astype(np.int64)
        return stop, Lists(indptr, numbers[real].astype(np.int32), scores[real], n_rows)

    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        yield from pool.map(found, range(0, n_rows, BLOCK_ROWS))


def joined(blocks: list[Lists], width: int) -> Lists:
    """The lists below each other."""
    lengths = [np.diff(block.indptr) for block in blocks]
    indptr = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, dtype=np.int64), *lengths]))])
    numbers = np.concatenate([np.zeros(0, dtype=np.int32), *(block.numbers for block in blocks)])
    amounts = np.concatenate([np.zeros(0, dtype=np.float32), *(block.amounts for block in blocks)])
    return Lists(indptr.astype(np.int64), numbers, amounts, width)


class NeighborRecommender(EitherRecommender):
    """A rating is a center plus what neighbors say: the mean of their deviations, weighted by likeness.

    Source: Koren (2010), Factor in the Neighbors, equation 3. Without neighbors `predict` answers
    μ + b_u + b_i; a list holds only items that have some.
    """

    _baseline: Baseline

    @abstractmethod
    def _deviations(self, histories: Interactions, indptr: Ints, wanted: Ints) -> Doubles:
        """What neighbors say of each history's wanted items; NaN where none is alike."""

    def _centers(self, histories: Interactions, rows: Ints, items: Ints) -> Doubles:
        """What is known of rows' ratings of these items without neighbors."""
        of_users = self._baseline.mean + self._baseline.of_histories(histories)
        return np.asarray(of_users[rows] + self._baseline.items[items])

    def _predict(self, users: Ints, items: Ints) -> Doubles:
        trained = self._trained()
        width = max(self.n_items, 1)
        known = (users >= 0) & (users < trained.n_users) & (items >= 0) & (items < self.n_items)
        found = self._baseline.rate(users, items)
        pairs, places = np.unique(users[known] * width + items[known], return_inverse=True)
        rated = np.empty(len(pairs))
        for start in range(0, len(pairs), BLOCK_PAIRS):
            block = pairs[start : start + BLOCK_PAIRS]
            asked, rows = np.unique(block // width, return_inverse=True)
            histories, wanted = trained.rows(asked), block % width
            indptr = np.searchsorted(rows, np.arange(len(asked) + 1)).astype(np.int64)
            rated[start : start + BLOCK_PAIRS] = self._rate(histories, rows, indptr, wanted)
        found[known] = rated[places]
        return found

    def _rate(self, histories: Interactions, rows: Ints, indptr: Ints, wanted: Ints) -> Doubles:
        said = self._centers(histories, rows, wanted) + self._deviations(histories, indptr, wanted)
        alone = NeighborRecommender._centers(self, histories, rows, wanted)
        return np.where(np.isnan(said), alone, said)

    def _score_ratings(self, histories: Interactions) -> Floats:
        """Expected ratings of all items, −inf where nobody and nothing alike speaks for one."""
        scores = np.empty(histories.shape, dtype=np.float32)
        step = max(1, BLOCK_PAIRS // max(self.n_items, 1))
        for start in range(0, histories.n_users, step):
            block = histories.rows(np.arange(start, min(start + step, histories.n_users)))
            indptr = np.arange(block.n_users + 1, dtype=np.int64) * self.n_items
            wanted = np.tile(np.arange(self.n_items), block.n_users)
            rows = np.repeat(np.arange(block.n_users), self.n_items)
            rated = self._centers(block, rows, wanted) + self._deviations(block, indptr, wanted)
            scores[start : start + step] = rated.reshape(block.shape)
        scores[np.isnan(scores)] = -np.inf
        return scores


def likeness_parts(kind: int, own: Doubles, theirs: Doubles, common: Doubles, shrinkage: float) -> Doubles:
    """The parts of `likeness` that each member brings: `theirs` and `common` (1 or 0) are [rows, members],
    `own` [members], rows of the answer add up to the similarity.
    """
    n = common.sum(axis=1, keepdims=True)
    a, b = own * common, theirs * common
    if kind == PEARSON:
        a, b = a - common * _mean(a, n), b - common * _mean(b, n)
    if kind == MSD:
        parts = common / np.maximum(n, 1) / (1 + _mean((a - b) ** 2, n))
    else:
        squares = (a**2).sum(axis=1, keepdims=True), (b**2).sum(axis=1, keepdims=True)
        defined = np.minimum(*squares) >= NOTHING
        parts = np.where(defined, a * b / np.sqrt(np.where(defined, squares[0] * squares[1], 1)), 0.0)
    if shrinkage > 0:
        parts = parts * np.maximum(n - 1, 0) / (np.maximum(n - 1, 0) + shrinkage)
    return np.asarray(parts)


def _mean(values: Doubles, n: Doubles) -> Doubles:
    return np.asarray(values.sum(axis=1, keepdims=True) / np.maximum(n, 1))


def listed(said: Floats) -> Floats:
    """Sums of what neighbors say as scores: nothing said is −inf."""
    said[said <= 0] = -np.inf
    return said
