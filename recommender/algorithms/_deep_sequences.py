"""Histories as sequences for the deep models: order, windows, batches, and a slice to stop by."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.algorithms._interactions import Interactions, Ints

Random = np.random.Generator
# Batches are drawn from shuffled blocks of this many batches, sorted by length inside: little padding.
BLOCK_BATCHES = 16
# With fewer users to hold an item out from, all epochs are run and the last one counts.
FEWEST_JUDGES = 100


@dataclass(frozen=True)
class Batch:
    """Right-padded rows: `items` int64[n, longest], of which the first `lengths` count."""

    items: Ints
    lengths: Ints


@dataclass(frozen=True)
class Held:
    """What training must not see: the `targets` of the rows in `histories`, which end before them."""

    histories: Interactions
    targets: Ints


def shuffled_order(histories: Interactions, random: Random) -> Ints:
    """Item numbers of each row, oldest first; where times are equal or unknown in random order.

    A fixed order (say, by item number) among events of one second would be learned as if it meant
    something.
    """
    rows = np.repeat(np.arange(histories.n_users), np.diff(histories.indptr))
    keys = (random.random(len(rows)), rows)
    if histories.timestamps is not None:
        keys = (keys[0], histories.timestamps, rows)  # type: ignore[assignment]
    return histories.items[np.lexsort(keys)]


def windows(histories: Interactions, length: int, random: Random) -> tuple[Ints, Ints, Ints]:
    """Where each row's window starts, how long it is, and the ordered items it is cut from.

    Rows longer than `length` get a random window each time, so that over the epochs everything is seen.
    """
    sizes = np.diff(histories.indptr)
    spare = np.maximum(sizes - length, 0)
    starts = histories.indptr[:-1] + random.integers(0, spare + 1)
    return starts, np.minimum(sizes, length), shuffled_order(histories, random)


def latest(histories: Interactions, length: int) -> Batch:
    """The last `length` items of each row."""
    items, indptr = histories.sequences()
    sizes = np.minimum(np.diff(indptr), length)
    return padded(items, indptr[1:] - sizes, sizes)


def padded(items: Ints, starts: Ints, lengths: Ints) -> Batch:
    longest = max(int(lengths.max(initial=0)), 1)
    places = starts[:, None] + np.minimum(np.arange(longest), np.maximum(lengths[:, None] - 1, 0))
    if not len(items):
        return Batch(np.zeros((len(lengths), longest), dtype=np.int64), lengths)
    return Batch(items[np.minimum(places, len(items) - 1)], lengths)


def batches(lengths: Ints, size: int, random: Random) -> list[Ints]:
    """Row numbers in batches of about `size` rows of like length, in random order."""
    order = random.permutation(len(lengths))
    blocks = [
        order[start : start + size * BLOCK_BATCHES] for start in range(0, len(order), size * BLOCK_BATCHES)
    ]
    found = []
    for block in blocks:
        block = block[np.argsort(lengths[block], kind="stable")]
        found += [block[start : start + size] for start in range(0, len(block), size)]
    return [found[place] for place in random.permutation(len(found))]


def hold_out(histories: Interactions, *, n_users: int, seed: int) -> tuple[Interactions, Held | None]:
    """The latest item of a sample of users, to judge epochs by, and everything else to learn from.

    None, and all to learn from, with too few users for a judgment that means anything.
    """
    sizes = np.diff(histories.indptr)
    able = np.flatnonzero(sizes >= 2)
    if len(able) < FEWEST_JUDGES:
        return histories, None
    random = np.random.default_rng([seed, 0])
    chosen = np.sort(random.permutation(able)[:n_users])
    rows = np.repeat(np.arange(histories.n_users), sizes)
    keys = (random.random(len(rows)), rows)
    if histories.timestamps is not None:
        keys = (keys[0], histories.timestamps, rows)  # type: ignore[assignment]
    last = np.lexsort(keys)[histories.indptr[chosen + 1] - 1]
    keep = np.ones(len(rows), dtype=np.bool_)
    keep[last] = False
    indptr = np.concatenate([[0], np.cumsum(keep)])[histories.indptr].astype(np.int64)
    rest = histories._taken(np.flatnonzero(keep), indptr)
    return rest, Held(rest.rows(chosen), histories.items[last])


def quality(scores: npt.NDArray[np.float32], held: Held) -> npt.NDArray[np.float64]:
    """1 / log2(1 + rank) of each row's target among the items its history lacks: NDCG without a cut, which
    is less noisy than one cut at 10.
    """
    rows = np.arange(len(scores))
    wanted = scores[rows, held.targets]
    scores[np.repeat(rows, np.diff(held.histories.indptr)), held.histories.items] = -np.inf
    ahead = (scores > wanted[:, None]).sum(axis=1)
    return np.asarray(1 / np.log2(2 + ahead))
