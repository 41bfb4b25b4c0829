"""What a model may see, and what it is judged by. Time decides, unless asked otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Interactions

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Log:
    """Events as columns of equal length: user and item numbers, weights, timestamps in seconds, and any
    context columns by name.
    """

    users: Ints
    items: Ints
    weights: npt.NDArray[np.float32]
    timestamps: Ints
    shape: tuple[int, int]
    context: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.users)

    def only(self, keep: Mask) -> "Log":
        """Those events; users and items keep their numbers."""
        context = {name: column[keep] for name, column in self.context.items()}
        return Log(
            self.users[keep], self.items[keep], self.weights[keep], self.timestamps[keep], self.shape, context
        )

    def ratings(self) -> Interactions:
        """As one matrix, weights as they are: what models of explicit ratings learn from."""
        return Interactions.from_arrays(
            users=self.users,
            items=self.items,
            weights=self.weights,
            timestamps=self.timestamps,
            context=self.context,
            shape=self.shape,
        )

    def interactions(self, keep: Mask | None = None) -> Interactions:
        """Those events as one matrix, weights added up and damped (see Interactions.damped)."""
        return (self if keep is None else self.only(keep)).ratings().damped()


@dataclass(frozen=True)
class Split:
    """`test` holds the pairs to be found. `users` have something in both: only they can be ranked for.

    `train` is damped; `train_log` and `test_log` are the events as they were, for models of ratings, for
    tuning inside of the training part and for the context in which something was taken.
    """

    name: str
    train: Interactions
    test: Interactions
    users: Ints
    new_only: bool
    train_log: Log | None = None
    test_log: Log | None = None

    def input_for(self, *, is_explicit: bool) -> Interactions:
        """What a model of that kind learns from, and folds histories in from."""
        return self.train_log.ratings() if is_explicit and self.train_log is not None else self.train


def time_split(
    log: Log, *, test_share: float = 0.2, new_only: bool = True, moment: int | None = None
) -> Split:
    """Everything before a moment trains, everything from it on is to be found.

    Without `moment` (seconds), one that leaves about `test_share` of the events behind it. With
    `new_only`, items the user already has are neither to be found nor recommended; without, repeats count.
    """
    _check_share(test_share)
    later = np.zeros(len(log), dtype=np.bool_)
    if len(log):
        if moment is None:
            moment = int(np.quantile(log.timestamps, 1 - test_share, method="higher"))
        later = log.timestamps >= moment
    return held_split("time", log, later, new_only=new_only)


def leave_last_out(log: Log, *, new_only: bool = True) -> Split:
    """Each user's last event is to be found; of events at the same second the one given last."""
    order = np.lexsort((np.arange(len(log)), log.timestamps, log.users))
    users = log.users[order]
    last = np.zeros(len(users), dtype=np.bool_)
    last[order[np.flatnonzero(np.append(users[1:] != users[:-1], True))] if len(users) else []] = True
    return held_split("leave-last-out", log, last, new_only=new_only)


def ratio_split(log: Log, *, test_share: float = 0.2, seed: int = 0, new_only: bool = True) -> Split:
    """A random share of each user's events is to be found. It looks into the future: for comparing with
    papers.
    """
    _check_share(test_share)
    random = np.random.default_rng(seed).random(len(log))
    order = np.lexsort((random, log.users))
    users = log.users[order]
    place = np.arange(len(users)) - np.searchsorted(users, users)
    counts = np.bincount(log.users, minlength=log.shape[0])
    held = np.zeros(len(users), dtype=np.bool_)
    held[order] = place < np.rint(counts[users] * test_share)
    return held_split("ratio", log, held, new_only=new_only)


def k_folds(log: Log, *, n: int = 5, seed: int = 0, new_only: bool = True) -> list[Split]:
    """Every event is held back once, in one of n random folds; looks into the future, as papers do.

    The folds of scikit-surprise's `KFold(n_splits=n, random_state=seed)` on the same rows in the same
    order: numpy's legacy RandomState shuffles the row numbers, the first folds take the remainder.
    """
    if not 2 <= n <= max(len(log), 2):
        raise ValueError(f"{len(log)} events cannot be cut into {n} folds")
    shuffled = np.arange(len(log))
    np.random.RandomState(seed).shuffle(shuffled)
    splits = []
    for number, chosen in enumerate(np.array_split(shuffled, n), start=1):
        held = np.zeros(len(log), dtype=np.bool_)
        held[chosen] = True
        splits.append(held_split(f"fold {number} of {n}", log, held, new_only=new_only))
    return splits


def held_split(name: str, log: Log, held: Mask, *, new_only: bool = True) -> Split:
    """The split whose held events are to be found: official folds, or any of one's own."""
    train_log, test_log = log.only(~held), log.only(held)
    train, test = train_log.interactions().positive(), test_log.interactions().positive()
    if new_only:
        test = _without(test, train)
    both = (np.diff(train.indptr) > 0) & (np.diff(test.indptr) > 0)
    return Split(name, train, test, np.flatnonzero(both), new_only, train_log, test_log)


def _check_share(test_share: float) -> None:
    if not 0 < test_share < 1:
        raise ValueError(f"the share of test events lies between 0 and 1, is {test_share}")


def _without(test: Interactions, train: Interactions) -> Interactions:
    width = max(test.n_items, 1)
    rows = np.repeat(np.arange(test.n_users), np.diff(test.indptr))
    known = np.repeat(np.arange(train.n_users), np.diff(train.indptr)) * width + train.items
    keep = ~np.isin(rows * width + test.items, known)
    return Interactions.from_arrays(
        users=rows[keep], items=test.items[keep], weights=test.weights[keep], shape=test.shape
    )
