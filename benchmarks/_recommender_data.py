"""Data that is made, so that the recommender benchmarks need none of anybody's."""

from typing import NamedTuple

import _run  # noqa: F401  it puts the project before this folder, whose recommender.py would be found instead
import numpy as np
import numpy.typing as npt

from recommender.evaluation import Log, Split, ratio_split

TOPICS, TASTES = 32, 10


class Ratings(NamedTuple):
    """Columns of equal length: user and item numbers, ratings 1 to 5."""

    users: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    ratings: npt.NDArray[np.float64]


def make_purchases(size: tuple[int, int, int]) -> Split:
    """Users choose by popularity (a power law) and mostly from one of 32 topics; a tenth is held back."""
    n_users, n_items, n = size
    random = np.random.default_rng(1)
    users = (n_users * random.random(n) ** 2).astype(int)
    rank = np.minimum((n_items // TOPICS) * random.random(n) ** 3, n_items // TOPICS - 1).astype(int)
    own = random.random(n) < 0.7
    topic = np.where(own, users % TOPICS, random.integers(0, TOPICS, n))
    pairs = np.unique(users * n_items + rank * TOPICS + topic)
    users, items = np.divmod(pairs, n_items)
    zeros = np.zeros(len(users), dtype=np.int64)
    log = Log(users, items, np.ones(len(users), np.float32), zeros, shape=(n_users, n_items))
    return ratio_split(log, test_share=0.1, seed=1)


def make_ratings(size: tuple[int, int, int]) -> tuple[Ratings, Ratings]:
    """Ratings of known make: mean, two biases, a taste of ten dimensions and noise, rounded to 1 to 5.

    Answers what to train on and the fifth to be predicted. Activity and popularity fall as a power law.
    """
    n_users, n_items, n = size
    random = np.random.default_rng(2)
    users = (n_users * random.random(2 * n) ** 2).astype(int)
    items = (n_items * random.random(2 * n) ** 2).astype(int)
    pairs = random.permutation(np.unique(users * n_items + items))[:n]
    users, items = np.divmod(pairs, n_items)
    user_tastes = random.normal(0, 0.45, (n_users, TASTES))
    item_tastes = random.normal(0, 0.45, (n_items, TASTES))
    exact = (
        3.5
        + random.normal(0, 0.4, n_users)[users]
        + random.normal(0, 0.5, n_items)[items]
        + np.einsum("nd,nd->n", user_tastes[users], item_tastes[items])
        + random.normal(0, 0.75, len(users))
    )
    ratings = np.clip(np.rint(exact), 1, 5)
    held = np.arange(len(users)) % 5 == 0
    return Ratings(users[~held], items[~held], ratings[~held]), Ratings(
        users[held], items[held], ratings[held]
    )
