"""Positives and negatives for models that compare with a pool of items instead of all of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.algorithms._deep_bags import Bags, row_batches, split_bags
from recommender.algorithms._deep_sequences import Random
from recommender.algorithms._interactions import Interactions, Ints


@dataclass(frozen=True)
class Pool:
    """`given` goes into the user's tower. `items` are compared; positives are (rows[i], items[places[i]]).

    `own` bool[n, len(items)] marks what each user has. `log_chances` float32[len(items)]: the logarithm of
    how often an item gets into a pool, to be taken off its logit in training, else the popular ones, being
    negatives so often, would be pushed down.
    """

    given: Bags
    items: Ints
    rows: Ints
    places: Ints
    own: npt.NDArray[np.bool_]
    log_chances: npt.NDArray[np.float32]


def pools(
    histories: Interactions, *, size: int, share: float, per_user: int, extra: int, random: Random
) -> Iterator[tuple[float, Pool]]:
    """Batches of `size` users; `share` of each history may be a positive, `per_user` of those at most are,
    and `extra` items are drawn evenly from all.
    """
    counts = np.bincount(histories.items, minlength=histories.n_items)
    popular = counts / max(counts.sum(), 1)
    for part, rows in row_batches(histories, size, 2, random):
        given, wanted = split_bags(rows, share, random)
        chosen = _few(wanted, per_user, random)
        positives, positive_rows = wanted.items[chosen], wanted.rows[chosen]
        drawn = random.integers(0, histories.n_items, extra)
        items, places = np.unique(np.concatenate([positives, drawn]), return_inverse=True)
        chances = popular[items] * len(positives) + extra / histories.n_items
        yield part, Pool(
            given, items, positive_rows, places[: len(positives)], _own(rows, items),
            np.log(np.maximum(chances, 1e-9)).astype(np.float32),
        )  # fmt: skip


def _few(wanted: Bags, per_user: int, random: Random) -> Ints:
    rows = wanted.rows
    order = np.lexsort((random.random(len(rows)), rows))
    return order[np.arange(len(rows)) - wanted.starts[rows] < per_user]


def _own(rows: Interactions, items: Ints) -> npt.NDArray[np.bool_]:
    places = np.full(rows.n_items, -1)
    places[items] = np.arange(len(items))
    found = places[rows.items]
    own = np.zeros((rows.n_users, len(items)), dtype=np.bool_)
    own[np.repeat(np.arange(rows.n_users), np.diff(rows.indptr))[found >= 0], found[found >= 0]] = True
    return own
