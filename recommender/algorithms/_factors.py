"""What the factor models of ratings share: what to do where nobody rated, and where all ratings are equal."""

from abc import abstractmethod
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import svds

from recommender.algorithms._base import Arrays, Training
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._ratings import RatingRecommender

Doubles = npt.NDArray[np.float64]
# Up to this many cells the exact decomposition is as quick as the iterative one.
DENSE_CELLS = 1_000_000
PAIRS_AT_ONCE = 1 << 16
Number = TypeVar("Number", bound=np.generic)


class FactorRatings(RatingRecommender):
    """A model of ratings fills in the methods ending in `_ratings` and `_learned`.

    Where every rating is the same there is nothing to learn from how much, only from what was taken: then
    items are ranked by factors of the matrix of ones and zeros instead, and predicted is the one value.
    Items nobody rated have no score.
    """

    instead = "item_knn"
    factors: int
    seed: int

    def _learn(self, interactions: Interactions, training: Training) -> None:
        self._note_scale(interactions)
        self._seen = np.bincount(interactions.items, minlength=interactions.n_items) > 0
        self._taken = np.zeros((0, 0), dtype=np.float32)
        if self.lowest == self.highest:
            self._taken = taken_factors(interactions, factors=self.factors, seed=self.seed)
        else:
            self._learn_ratings(interactions, training)
        training.progress(1.0)

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        """The vectors once, and once more while they are made; the ratings in another unit or order."""
        return 24 * n_interactions + 2 * 4 * self.factors * (n_users + n_items)

    def _score(self, histories: Interactions) -> Floats:
        if len(self._taken):
            taken = histories.rated(1.0).matrix @ self._taken
            scores = np.asarray(taken @ self._taken.T, dtype=np.float32)
        else:
            scores = np.asarray(self._score_ratings(histories), dtype=np.float32)
        scores[:, ~self._seen] = -np.inf
        return scores

    def embeddings(self, histories: Interactions) -> tuple[Floats, Floats] | None:
        kept = self._history(histories)
        if len(self._taken):
            return np.asarray(kept.rated(1.0).matrix @ self._taken, dtype=np.float32), self._taken
        return self._rating_factors(kept)

    def _contributions(self, items: Ints, weights: Doubles, targets: Ints) -> Doubles:
        if len(self._taken):
            return np.asarray(self._taken[targets] @ self._taken[items].T, dtype=np.float64)
        return self._explain_ratings(items, weights, targets)

    def _arrays(self) -> Arrays:
        own = {"taken": self._taken} if len(self._taken) else self._learned()
        return {"seen": self._seen, **own}

    def _restore(self, arrays: Arrays) -> None:
        self._seen = arrays["seen"]
        self._taken = arrays.get("taken", np.zeros((0, 0), dtype=np.float32))
        if self._seen.shape != (self.n_items,) or self._seen.dtype != bool:
            raise ValueError(f"the marks of known items have shape {self._seen.shape}")
        if "taken" not in arrays:
            self._restore_learned(arrays)
        elif self._taken.ndim != 2 or len(self._taken) != self.n_items:
            raise ValueError(f"the item vectors have shape {self._taken.shape}")

    def _predict(self, users: Ints, items: Ints) -> npt.NDArray[np.floating]:
        if len(self._taken):
            return np.full(len(users), self.lowest)
        blocks = [
            self._predict_ratings(users[start : start + PAIRS_AT_ONCE], items[start : start + PAIRS_AT_ONCE])
            for start in range(0, len(users), PAIRS_AT_ONCE)
        ]
        return np.concatenate(blocks) if blocks else np.zeros(0)

    @abstractmethod
    def _learn_ratings(self, interactions: Interactions, training: Training) -> None:
        """As `_learn`; the ratings are not all equal, or there are none."""

    @abstractmethod
    def _score_ratings(self, histories: Interactions) -> npt.NDArray[np.floating]:
        """As `_score`: expected ratings, also of items nobody rated."""

    def _rating_factors(self, histories: Interactions) -> tuple[Floats, Floats] | None:
        """As `factors`."""
        return None

    @abstractmethod
    def _predict_ratings(self, users: Ints, items: Ints) -> npt.NDArray[np.floating]:
        """As `_predict`."""

    def _explain_ratings(self, items: Ints, weights: Doubles, targets: Ints) -> Doubles:
        """As `_contributions`."""
        return np.zeros((len(targets), 0))

    @abstractmethod
    def _learned(self) -> Arrays:
        """As `_arrays`."""

    @abstractmethod
    def _restore_learned(self, arrays: Arrays) -> None:
        """As `_restore`."""


def taken_factors(interactions: Interactions, *, factors: int, seed: int) -> Floats:
    """V float32[n_items, ≤ factors]: V Vᵀ is the ridge regression of the matrix of ones on itself, cut off
    after the largest singular values.

    Its strength is the mean of all squared singular values, so that what few share fades.
    """
    matrix = interactions.rated(1.0).matrix
    smaller = min(matrix.shape)
    if matrix.shape[0] * matrix.shape[1] <= DENSE_CELLS or smaller <= factors + 1:
        _, sizes, rows = np.linalg.svd(matrix.toarray(), full_matrices=False)
    else:
        start = np.random.default_rng(seed).standard_normal(smaller).astype(np.float32)
        _, sizes, rows = svds(matrix, k=factors, v0=start)
    order = np.argsort(-sizes, kind="stable")[:factors]
    squares = sizes[order].astype(np.float64) ** 2
    strength = matrix.nnz / smaller
    return np.asarray(rows[order].T * np.sqrt(squares / (squares + strength)), dtype=np.float32)


def known_rows(table: npt.NDArray[Number], numbers: Ints) -> npt.NDArray[Number]:
    """The rows of these numbers (first axis), zero (False) for a number outside."""
    inside = (numbers >= 0) & (numbers < len(table))
    if inside.all():
        return table[numbers]
    found = np.zeros((len(numbers), *table.shape[1:]), dtype=table.dtype)
    found[inside] = table[numbers[inside]]
    return found
