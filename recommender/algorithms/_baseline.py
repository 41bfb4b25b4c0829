"""μ + b_u + b_i: what a rating is worth before anything is known about this user and this item together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.algorithms._interactions import Interactions, Ints

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """The mean of all ratings, and how far each user (float64[n_users]) and item (float64[n_items]) lies
    off it.
    """

    mean: float
    users: Doubles
    items: Doubles
    user_regularization: float = 15.0

    def rate(self, users: Ints, items: Ints) -> Doubles:
        """μ + b_u + b_i of each pair; a number that was not in training adds nothing."""
        return self.mean + _known(self.users, users) + _known(self.items, items)

    def of_histories(self, histories: Interactions) -> Doubles:
        """b_u of each history, float64[n]; of a history that was in training the same as learned."""
        residuals = histories.weights.astype(np.float64) - self.mean - self.items[histories.items]
        return _shrunken(residuals, rows_of(histories), histories.n_users, self.user_regularization)

    def residuals(self, histories: Interactions) -> Doubles:
        """What the histories rated above μ + b_u + b_i, in the order of their entries."""
        taken = self.of_histories(histories)[rows_of(histories)] + self.items[histories.items]
        return np.asarray(histories.weights.astype(np.float64) - self.mean - taken)

    def arrays(self) -> dict[str, npt.NDArray[np.float64]]:
        """What has to be saved."""
        facts = np.array([self.mean, self.user_regularization])
        return {"baseline": facts, "baseline_users": self.users, "baseline_items": self.items}

    @classmethod
    def restored(cls, arrays: dict[str, npt.NDArray[np.float64]]) -> "Baseline":
        """The reverse of `arrays`; other names in it are ignored."""
        mean, regularization = arrays["baseline"].tolist()
        return cls(mean, arrays["baseline_users"], arrays["baseline_items"], regularization)


def learn_baseline(
    interactions: Interactions,
    *,
    epochs: int = 10,
    user_regularization: float = 15.0,
    item_regularization: float = 10.0,
) -> Baseline:
    """Least squares by turns, items first; the defaults are those of the Surprise library.

    Zero without ratings. Source: Koren (2010), Factor in the Neighbors, section 2.1.
    """
    rows, columns = rows_of(interactions), interactions.items
    n_users, n_items = interactions.shape
    ratings = interactions.weights.astype(np.float64)
    mean = float(ratings.mean()) if len(ratings) else 0.0
    users = np.zeros(n_users)
    items = np.zeros(n_items)
    for _ in range(epochs):
        items = _shrunken(ratings - mean - users[rows], columns, n_items, item_regularization)
        users = _shrunken(ratings - mean - items[columns], rows, n_users, user_regularization)
    return Baseline(mean, users, items, user_regularization)


def rows_of(interactions: Interactions) -> Ints:
    """The user number of each entry."""
    return np.repeat(np.arange(interactions.n_users), np.diff(interactions.indptr))


def _shrunken(residuals: Doubles, groups: Ints, n_groups: int, regularization: float) -> Doubles:
    """Σ residuals / (regularization + their number), for each group."""
    counts = np.bincount(groups, minlength=n_groups)
    sums = np.bincount(groups, weights=residuals, minlength=n_groups)
    return np.asarray(sums / np.maximum(counts + regularization, 1e-12))


def _known(biases: Doubles, numbers: Ints) -> Doubles:
    inside = (numbers >= 0) & (numbers < len(biases))
    if not len(biases):
        return np.zeros(len(numbers))
    return np.where(inside, biases[np.where(inside, numbers, 0)], 0.0)
