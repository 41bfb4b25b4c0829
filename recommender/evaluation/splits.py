"""What a model may see, and what it is judged by. Time decides, unless asked otherwise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Interactions

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Log:
    """Events as columns of equal length: user and item numbers, weights, timestamps in seconds."""

    users: Ints
    items: Ints
    weights: npt.NDArray[np.float32]
    timestamps: Ints
    shape: tuple[int, int]

    def interactions(self, keep: npt.NDArray[np.bool_] | None = None) -> Interactions:
        """Those events as one matrix, weights added up and damped (see Interactions.damped)."""
        chosen: npt.NDArray[np.bool_] | slice = slice(None) if keep is None else keep
        return Interactions.from_arrays(
            users=self.users[chosen],
            items=self.items[chosen],
            weights=self.weights[chosen],
            timestamps=self.timestamps[chosen],
            shape=self.shape,
        ).damped()


@dataclass(frozen=True)
class Split:
    """`test` holds the pairs to be found. `users` have something in both: only they can be judged."""

    name: str
    train: Interactions
    test: Interactions
    users: Ints
    new_only: bool


def time_split(log: Log, *, test_share: float = 0.2, new_only: bool = True) -> Split:
    """Everything before a moment trains, everything from it on is to be found.

    The moment leaves about `test_share` of the events behind it. With `new_only`, items the user already
    has are neither to be found nor recommended; without, repeats count.
    """
    _check_share(test_share)
    later = np.zeros(len(log.timestamps), dtype=np.bool_)
    if len(later):
        later = log.timestamps >= np.quantile(log.timestamps, 1 - test_share, method="higher")
    return _split("time", log, later, new_only)


def leave_last_out(log: Log, *, new_only: bool = True) -> Split:
    """Each user's last event is to be found; of events at the same second the one given last."""
    order = np.lexsort((np.arange(len(log.users)), log.timestamps, log.users))
    users = log.users[order]
    last = np.zeros(len(users), dtype=np.bool_)
    last[order[np.flatnonzero(np.append(users[1:] != users[:-1], True))] if len(users) else []] = True
    return _split("leave-last-out", log, last, new_only)


def ratio_split(log: Log, *, test_share: float = 0.2, seed: int = 0, new_only: bool = True) -> Split:
    """A random share of each user's events is to be found. It looks into the future: for comparing with
    papers.
    """
    _check_share(test_share)
    random = np.random.default_rng(seed).random(len(log.users))
    order = np.lexsort((random, log.users))
    users = log.users[order]
    place = np.arange(len(users)) - np.searchsorted(users, users)
    counts = np.bincount(log.users, minlength=log.shape[0])
    held = np.zeros(len(users), dtype=np.bool_)
    held[order] = place < np.rint(counts[users] * test_share)
    return _split("ratio", log, held, new_only)


def _check_share(test_share: float) -> None:
    if not 0 < test_share < 1:
        raise ValueError(f"the share of test events lies between 0 and 1, is {test_share}")


def _split(name: str, log: Log, held: npt.NDArray[np.bool_], new_only: bool) -> Split:
    train, test = log.interactions(~held).positive(), log.interactions(held).positive()
    if new_only:
        test = _without(test, train)
    both = (np.diff(train.indptr) > 0) & (np.diff(test.indptr) > 0)
    return Split(name, train, test, np.flatnonzero(both), new_only)


def _without(test: Interactions, train: Interactions) -> Interactions:
    width = max(test.n_items, 1)
    rows = np.repeat(np.arange(test.n_users), np.diff(test.indptr))
    known = np.repeat(np.arange(train.n_users), np.diff(train.indptr)) * width + train.items
    keep = ~np.isin(rows * width + test.items, known)
    return Interactions.from_arrays(
        users=rows[keep], items=test.items[keep], weights=test.weights[keep], shape=test.shape
    )
