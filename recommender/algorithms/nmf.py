"""Non-negative factors of ratings: parts that add up, each readable as a topic of interest."""

import numpy as np
import numpy.typing as npt

from recommender.algorithms._base import Arrays, Training, gettext_noop
from recommender.algorithms._factors import FactorRatings, known_rows
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._sgd_kernels import multiply_rows

START_SPREAD = 0.2
FOLD_IN_UPDATES = 50


class Nmf(FactorRatings):
    """r̂ = p_uᵀq_i, all numbers ≥ 0, fitted to the observed ratings only.

    Negative ratings are lifted by the lowest one. A history is folded in by the same multiplicative updates
    with the items' vectors fixed. Source: Luo, Zhou, Xia and Zhu (2014), An Efficient Non-Negative Matrix
    Factorization-Based Approach, equation 11.
    """

    name = "nmf"
    title = gettext_noop("NMF (ratings: topics of interest)")
    search_space = {
        "factors": ("log_int", 4, 64),
        "epochs": ("log_int", 30, 240),
        "regularization": ("log", 0.02, 0.4),
    }

    def __init__(
        self, *, factors: int = 16, epochs: int = 120, regularization: float = 0.1, seed: int = 0
    ) -> None:
        if factors < 1 or epochs < 1 or regularization < 0:
            raise ValueError("factors and epochs must be positive, regularization not negative")
        self.factors = factors
        self.epochs = epochs
        self.regularization = regularization
        self.seed = seed

    def topics(self, n: int = 10) -> list[list[int]]:
        """The n items that stand for each factor, the largest factor of all ratings first.

        An item is placed by how much more of the factor it has than the average item has, weighed with how
        much it has and how much is known of it: neither by what everybody likes nor by what a few rated once.
        Shorter where fewer items have the factor. Empty where
        all ratings are equal.
        """
        if len(self._taken):
            return []
        parts = self._items * self._users.mean(axis=0) if len(self._users) else self._items
        usual = parts[self._seen].mean(axis=0) if self._seen.any() else parts.sum(axis=0)
        shares = parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-12)
        known = self.item_weights / max(float(self.item_weights.mean()), 1e-12)
        trust = known / (known + 1)
        found = []
        for factor in np.argsort(-usual, kind="stable"):
            standing = np.where(parts[:, factor] > 0, parts[:, factor] * shares[:, factor] * trust, -1.0)
            order = np.argsort(-standing, kind="stable")[:n]
            found.append([int(item) for item in order if standing[item] > 0])
        return found

    def _learn_ratings(self, interactions: Interactions, training: Training) -> None:
        ratings = self._lifted(interactions.weights)
        mean = float(ratings.mean()) if len(ratings) else 1.0
        # The strength counts in standard deviations, so that it means the same on any scale.
        self._strength = self.regularization * (float(ratings.std()) if len(ratings) else 1.0)
        random = np.random.default_rng(self.seed)
        # Such that the first guess is the mean of all ratings.
        level = np.sqrt(max(mean, 1e-6) / self.factors)
        self._users = self._vectors(random, interactions.n_users, level)
        self._items = self._vectors(random, interactions.n_items, level)
        by_item = interactions.matrix.T.tocsr()
        columns, ends = by_item.indices.astype(np.int64), by_item.indptr.astype(np.int64)
        turned, strength = self._lifted(by_item.data), np.float32(self._strength)
        for epoch in range(self.epochs):
            multiply_rows(
                interactions.indptr, interactions.items, ratings, self._users, self._items, strength
            )
            multiply_rows(ends, columns, turned, self._items, self._users, strength)
            training.progress((epoch + 1) / (self.epochs + 1))
        self._usual = np.stack(
            [_mean(self._users, np.diff(interactions.indptr)), _mean(self._items, np.diff(ends))]
        )

    def _vectors(self, random: np.random.Generator, n: int, level: float) -> Floats:
        spread = random.uniform(1 - START_SPREAD, 1 + START_SPREAD, (n, self.factors))
        return np.asarray(level * spread, dtype=np.float32)

    def _lifted(self, ratings: Floats) -> Floats:
        return ratings - np.float32(min(self.lowest, 0.0))

    def _predict_ratings(self, users: Ints, items: Ints) -> npt.NDArray[np.floating]:
        left, right = self._placed(self._users, users, 0), self._placed(self._items, items, 1)
        return np.asarray(np.einsum("nf,nf->n", left, right) + min(self.lowest, 0.0))

    def _placed(self, vectors: Floats, numbers: Ints, side: int) -> npt.NDArray[np.floating]:
        """Vectors of users (side 0) or items (1); the usual one for a number outside or without ratings."""
        found = known_rows(vectors, numbers)
        found[~found.any(axis=1)] = self._usual[side]
        return found

    def _score_ratings(self, histories: Interactions) -> npt.NDArray[np.floating]:
        return np.asarray(self._folded(histories) @ self._items.T + np.float32(min(self.lowest, 0.0)))

    def _rating_factors(self, histories: Interactions) -> tuple[Floats, Floats]:
        return self._folded(histories), self._items

    def _folded(self, histories: Interactions) -> Floats:
        vectors = np.tile(self._usual[0], (histories.n_users, 1))
        ratings = self._lifted(histories.weights)
        for _ in range(FOLD_IN_UPDATES):
            multiply_rows(
                histories.indptr, histories.items, ratings, vectors, self._items, np.float32(self._strength)
            )
        return np.asarray(vectors, dtype=np.float32)

    def _learned(self) -> Arrays:
        return {
            "users": self._users,
            "items": self._items,
            "usual": self._usual,
            "strength": np.array(self._strength),
        }

    def _restore_learned(self, arrays: Arrays) -> None:
        self._users, self._items, self._usual = arrays["users"], arrays["items"], arrays["usual"]
        self._strength = float(arrays["strength"])
        shapes = [self._items.shape, self._users.shape[1:], self._usual.shape]
        if shapes != [(self.n_items, self.factors), (self.factors,), (2, self.factors)]:
            raise ValueError(f"the vectors have shapes {shapes}")


def _mean(vectors: Floats, counts: Ints) -> Floats:
    """The mean vector, each weighed by its ratings; without any ratings that of all."""
    if not len(vectors):
        return np.zeros(vectors.shape[1], dtype=np.float32)
    weights = counts if counts.sum() else np.ones(len(vectors))
    return np.asarray(np.average(vectors, axis=0, weights=weights), dtype=np.float32)
