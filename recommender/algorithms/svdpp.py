"""SVD++: what somebody rated at all says something too, whatever the rating."""

import numpy as np

from recommender.algorithms._base import Arrays, gettext_noop
from recommender.algorithms._factors import Doubles
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._sgd import SgdRatings
from recommender.algorithms._sgd_kernels import svdpp_epoch


class Svdpp(SgdRatings):
    """r̂ = μ + b_u + b_i + q_iᵀ(p_u + Σ y_j / √n), the sum over the n items the user rated.

    The steps are those of the plain stochastic descent, at a cost that no longer grows with the square of
    the ratings of a user (see `svdpp_epoch`). Source: Koren (2008), Factorization Meets the Neighborhood,
    equations 15 and 16.
    """

    name = "svdpp"
    title = gettext_noop("SVD++ (ratings, and what was rated at all)")

    def __init__(
        self,
        *,
        factors: int = 64,
        epochs: int = 30,
        learning_rate: float = 0.03,
        regularization: float = 0.08,
        bias_regularization: float = 0.02,
        seed: int = 0,
    ) -> None:
        super().__init__(
            factors=factors,
            epochs=epochs,
            learning_rate=learning_rate,
            regularization=regularization,
            bias_regularization=bias_regularization,
            seed=seed,
        )

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        return super().needed_bytes(n_users, 2 * n_items, n_interactions)

    def _start(self, interactions: Interactions) -> None:
        super()._start(interactions)
        self._taken_vectors = self._vectors(np.random.default_rng([self.seed, 1]), self._seen)

    def _epoch(
        self,
        interactions: Interactions,
        targets: Floats,
        rate: np.float32,
        strengths: tuple[np.float32, np.float32],
    ) -> float:
        return float(
            svdpp_epoch(
                interactions.indptr, interactions.items, targets, (self._user_bias, self._item_bias),
                self._users, self._items, self._taken_vectors, rate, strengths,
            )
        )  # fmt: skip

    def _to_ratings(self, unit: np.float32) -> None:
        super()._to_ratings(unit)
        self._taken_vectors *= np.sqrt(unit)

    def _note_prior(self, interactions: Interactions) -> None:
        """The prior is of p_u alone; kept for `predict` are the whole vectors."""
        super()._note_prior(interactions)
        roots = np.sqrt(np.maximum(np.diff(interactions.indptr), 1)).astype(np.float32)
        self._users += (interactions.rated(1.0).matrix @ self._taken_vectors) / roots[:, None]

    def _implicit(self, items: Ints) -> Doubles:
        return np.asarray(self._taken_vectors[items] / np.sqrt(max(len(items), 1)), dtype=np.float64)

    def _learned(self) -> Arrays:
        return {**super()._learned(), "taken_vectors": self._taken_vectors}

    def _restore_learned(self, arrays: Arrays) -> None:
        super()._restore_learned(arrays)
        self._taken_vectors = arrays["taken_vectors"]
        if self._taken_vectors.shape != self._items.shape:
            raise ValueError(f"the vectors of taken items have shape {self._taken_vectors.shape}")
