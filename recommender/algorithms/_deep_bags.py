"""Models that read a history as a bag of items, without order: part of it goes in, the rest is foretold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recommender.algorithms._deep_sequences import Random
from recommender.algorithms._interactions import Interactions, Ints

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Bags:
    """Some rows of a matrix: `items` of all of them one after another, `starts` where each begins."""

    items: Ints
    starts: Ints

    @property
    def lengths(self) -> Ints:
        return np.diff(np.append(self.starts, len(self.items)))

    @property
    def rows(self) -> Ints:
        return np.repeat(np.arange(len(self.starts)), self.lengths)

    def tensors(self) -> "tuple[Tensor, Tensor]":
        import torch

        return torch.from_numpy(self.items), torch.from_numpy(self.starts)


def bags(histories: Interactions) -> Bags:
    return Bags(histories.items, histories.indptr[:-1])


def split_bags(histories: Interactions, share: float, random: Random) -> tuple[Bags, Bags]:
    """Each entry goes into the second bag by chance, with `share`; of a row of two or more at least one
    into each.
    """
    rows = np.repeat(np.arange(histories.n_users), np.diff(histories.indptr))
    drawn = random.random(len(rows))
    order = np.lexsort((drawn, rows))
    place = np.arange(len(rows)) - histories.indptr[rows]
    sizes = np.diff(histories.indptr)[rows]
    wanted = np.clip(random.binomial(np.diff(histories.indptr), share)[rows], 1, np.maximum(sizes - 1, 1))
    second = np.zeros(len(rows), dtype=np.bool_)
    second[order] = place < wanted
    return _chosen(histories.items, rows, ~second, histories.n_users), _chosen(
        histories.items, rows, second, histories.n_users
    )


def row_batches(
    histories: Interactions, size: int, fewest: int, random: Random
) -> Iterator[tuple[float, Interactions]]:
    """The rows of at least `fewest` items in random order, with the share done after each batch."""
    order = random.permutation(np.flatnonzero(np.diff(histories.indptr) >= fewest))
    for start in range(0, len(order), size):
        stop = min(start + size, len(order))
        yield stop / len(order), histories.rows(order[start:stop])


def _chosen(items: Ints, rows: Ints, keep: npt.NDArray[np.bool_], n: int) -> Bags:
    return Bags(items[keep], np.searchsorted(rows[keep], np.arange(n)).astype(np.int64))
