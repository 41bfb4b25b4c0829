"""Matrix factorization of ratings by stochastic gradient descent: what `svd`, `svdpp` and `pmf` share."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from recommender.algorithms._base import Arrays, Training
from recommender.algorithms._factors import Doubles, FactorRatings, known_rows
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._sgd_kernels import sgd_epoch

START_SPREAD = 0.05
# Of the variance of all ratings, the least that is taken for noise; zero would make a new user's vector
# follow every rating exactly.
LEAST_NOISE = 0.01


class SgdRatings(FactorRatings):
    """r̂ = μ + b_u + b_i + p_uᵀq_i, learned rating by rating with a step that shrinks linearly to zero.

    Ratings are measured in their standard deviations while learning, so that the parameters mean the same
    on any scale. A history is folded in as the most likely vector of a user who rated so: the items' vectors
    stay, the spread of the known users' vectors is the prior.
    """

    has_biases: ClassVar[bool] = True
    search_space = {
        "factors": ("log_int", 8, 128),
        "epochs": ("log_int", 10, 60),
        "learning_rate": ("log", 0.01, 0.06),
        "regularization": ("log", 0.03, 0.2),
    }

    def __init__(
        self,
        *,
        factors: int = 64,
        epochs: int = 30,
        learning_rate: float = 0.04,
        regularization: float = 0.09,
        bias_regularization: float = 0.02,
        seed: int = 0,
    ) -> None:
        if factors < 1 or epochs < 1 or learning_rate <= 0:
            raise ValueError("factors, epochs and learning_rate must be positive")
        if regularization < 0 or bias_regularization < 0:
            raise ValueError("regularization and bias_regularization must not be negative")
        self.factors = factors
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.bias_regularization = bias_regularization
        self.seed = seed

    def _learn_ratings(self, interactions: Interactions, training: Training) -> None:
        ratings = interactions.weights.astype(np.float64)
        self._mean = float(ratings.mean()) if len(ratings) else (self.lowest + self.highest) / 2
        unit = float(ratings.std()) if len(ratings) else 1.0
        self._start(interactions)
        targets = ((ratings - self._mean) / unit).astype(np.float32)
        strengths = (
            np.float32(self.bias_regularization if self.has_biases else -1),
            np.float32(self.regularization),
        )
        error = 0.0
        for epoch in range(self.epochs):
            rate = np.float32(self.learning_rate * (1 - epoch / self.epochs))
            error = self._epoch(interactions, targets, rate, strengths)
            if not np.isfinite(error):
                raise ValueError(f"the descent diverged in epoch {epoch + 1}: take a smaller learning_rate")
            training.progress((epoch + 1) / (self.epochs + 1))
        self._noise = unit**2 * max(error / max(len(ratings), 1), LEAST_NOISE)
        self._to_ratings(np.float32(unit))
        self._note_prior(interactions)

    def _start(self, interactions: Interactions) -> None:
        """Small random vectors; zero for who has no ratings, since nothing would ever change them."""
        random = np.random.default_rng(self.seed)
        n_users, n_items = interactions.shape
        self._users = self._vectors(random, np.diff(interactions.indptr) > 0)
        self._items = self._vectors(random, self._seen)
        self._user_bias = np.zeros(n_users, dtype=np.float32)
        self._item_bias = np.zeros(n_items, dtype=np.float32)

    def _vectors(self, random: np.random.Generator, rated: npt.NDArray[np.bool_]) -> Floats:
        vectors = random.standard_normal((len(rated), self.factors), dtype=np.float32)
        vectors *= np.float32(START_SPREAD)
        vectors[~rated] = 0
        return vectors

    def _epoch(
        self,
        interactions: Interactions,
        targets: Floats,
        rate: np.float32,
        strengths: tuple[np.float32, np.float32],
    ) -> float:
        biases = (self._user_bias, self._item_bias)
        return float(
            sgd_epoch(
                interactions.indptr, interactions.items, targets, biases, self._users, self._items, rate,
                strengths,
            )
        )  # fmt: skip

    def _to_ratings(self, unit: np.float32) -> None:
        """From standard deviations to the scale of the ratings."""
        self._user_bias *= unit
        self._item_bias *= unit
        self._users *= np.sqrt(unit)
        self._items *= np.sqrt(unit)

    def _note_prior(self, interactions: Interactions) -> None:
        """Mean and standard deviation of each number of a user: b_u, then p_u."""
        rated = np.diff(interactions.indptr) > 0
        known = np.column_stack([self._user_bias, self._users])[rated].astype(np.float64)
        if not len(known):
            known = np.zeros((1, self.factors + 1))
        self._prior = np.stack([known.mean(axis=0), known.std(axis=0)])

    def _predict_ratings(self, users: Ints, items: Ints) -> npt.NDArray[np.floating]:
        product = np.einsum("nf,nf->n", known_rows(self._users, users), known_rows(self._items, items))
        biases = known_rows(self._user_bias, users) + known_rows(self._item_bias, items)
        return np.asarray(self._mean + biases + product)

    def _score_ratings(self, histories: Interactions) -> npt.NDArray[np.floating]:
        numbers = self._numbers(histories)
        vectors = numbers[:, 1:].astype(np.float32)
        levels = (self._mean + numbers[:, :1]).astype(np.float32)
        return np.asarray(vectors @ self._items.T + self._item_bias + levels)

    def _rating_factors(self, histories: Interactions) -> tuple[Floats, Floats]:
        return self._numbers(histories)[:, 1:].astype(np.float32), self._items

    def _numbers(self, histories: Interactions) -> Doubles:
        """b_u and the whole vector of each history, float64[n, 1 + factors]."""
        numbers = np.empty((histories.n_users, self.factors + 1))
        for user in range(histories.n_users):
            items, ratings = histories.row(user)
            numbers[user] = self._folded(items, ratings.astype(np.float64))
        return numbers

    def _implicit(self, items: Ints) -> Doubles:
        """What each of the items, taken together, adds to a user's vector: float64[n, factors]."""
        return np.zeros((len(items), self.factors), dtype=np.float64)

    def _folded(self, items: Ints, ratings: Doubles) -> Doubles:
        """b_u and the whole vector of who rated so, float64[1 + factors]."""
        numbers = np.array(self._prior[0])
        numbers[1:] += self._implicit(items).sum(axis=0)
        rated, surprise = self._surprise(items, ratings, numbers)
        spread = self._prior[1]
        if len(items) < len(spread):
            within = rated @ rated.T + self._noise * np.eye(len(items))
            found = rated.T @ np.linalg.solve(within, surprise)
        else:
            within = rated.T @ rated + self._noise * np.eye(len(spread))
            found = np.linalg.solve(within, rated.T @ surprise)
        return np.asarray(numbers + spread * found)

    def _surprise(self, items: Ints, ratings: Doubles, numbers: Doubles) -> tuple[Doubles, Doubles]:
        """The items as seen by the prior's unit numbers, and the ratings less what `numbers` expect."""
        rows = np.column_stack([np.full(len(items), float(self.has_biases)), self._items[items]])
        surprise = ratings - self._mean - self._item_bias[items] - rows @ numbers
        return rows * self._prior[1], np.asarray(surprise)

    def _explain_ratings(self, items: Ints, weights: Doubles, targets: Ints) -> Doubles:
        """Folding in is linear in the ratings: each has its share by what it differs from the expected.

        What no single rating says, such as μ + b_i, is shared out evenly.
        """
        implicit = self._implicit(items)
        numbers = self._prior[0].copy()
        level = numbers.copy()
        numbers[1:] += implicit.sum(axis=0)
        rated, surprise = self._surprise(items, weights, numbers)
        wanted = np.column_stack([np.ones(len(targets)), self._items[targets]])
        within = rated @ rated.T + self._noise * np.eye(len(items))
        gains = (wanted * self._prior[1]) @ np.linalg.solve(within, rated).T
        constant = self._mean + self._item_bias[targets] + wanted @ level
        own = wanted[:, 1:] @ implicit.T + gains * surprise
        return np.asarray(own + constant[:, None] / len(items))

    def _learned(self) -> Arrays:
        return {
            "users": self._users,
            "items": self._items,
            "user_bias": self._user_bias,
            "item_bias": self._item_bias,
            "prior": self._prior,
            "level": np.array([self._mean, self._noise]),
        }

    def _restore_learned(self, arrays: Arrays) -> None:
        self._users, self._items = arrays["users"], arrays["items"]
        self._user_bias, self._item_bias = arrays["user_bias"], arrays["item_bias"]
        self._prior = arrays["prior"]
        self._mean, self._noise = arrays["level"].tolist()
        shapes = [
            (self._items, (self.n_items, self.factors)),
            (self._users, (len(self._user_bias), self.factors)),
            (self._item_bias, (self.n_items,)),
            (self._prior, (2, 1 + self.factors)),
        ]
        if any(array.shape != shape for array, shape in shapes):
            raise ValueError("the vectors do not fit together")
