"""Bayesian personalized ranking: vectors that put what a user took above what they did not."""

import numpy as np
import numpy.typing as npt
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy import linalg

from recommender.algorithms._base import Arrays, Recommender, Training, gettext_noop
from recommender.algorithms._interactions import Floats, Interactions, Ints

# Users whose systems are solved together: 256 of 64 × 64 in double precision are 8 MiB.
BLOCK_USERS = 256

Doubles = npt.NDArray[np.float64]


class Bpr(Recommender):
    """Item vectors and biases by the `implicit` library, user vectors folded in by least squares.

    The library learns from sampled pairs of a taken and another item, on one thread, because only then the
    same seed gives the same model. It has no fold-in. Ours asks that each item of the history score 1 above
    every item of the catalog, weighted by the history's weights: (C + H + λI) x = h − d, with C and H the
    second moments of the catalog's and the history's item vectors, h and d their means weighted by 1 − bias
    and by −bias, all vectors and biases centered, and λ = `fold_in` × the mean of the diagonal of C. It
    ranks better than the library's own user vectors: they have seen each pair a few times only.

    Source: Rendle et al. (2009); the fold-in is own, Fisher's linear discriminant in the end.
    """

    name = "bpr"
    title = gettext_noop("BPR (learned ranking)")
    search_space = {
        "factors": ("choice", 32, 64, 128),
        "learning_rate": ("log", 0.003, 0.05),
        "regularization": ("log", 0.003, 0.1),
    }

    def __init__(
        self,
        *,
        factors: int = 64,
        learning_rate: float = 0.01,
        regularization: float = 0.03,
        iterations: int = 100,
        fold_in: float = 1.0,
        seed: int = 0,
    ) -> None:
        if min(factors, iterations) < 1 or min(learning_rate, regularization, fold_in) <= 0:
            raise ValueError(
                "factors, iterations, learning_rate, regularization and fold_in must be positive"
            )
        self.factors = factors
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.iterations = iterations
        self.fold_in = fold_in
        self.seed = seed

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        """The vectors of users and items, and the library's lists of pairs."""
        return 4 * (self.factors + 1) * (n_users + 3 * n_items) + 24 * n_interactions

    def _learn(self, interactions: Interactions, training: Training) -> None:
        self._vectors = np.zeros((interactions.n_items, self.factors), dtype=np.float32)
        self._biases = np.zeros(interactions.n_items, dtype=np.float32)
        known = self.item_weights > 0
        if known.any():
            model = BayesianPersonalizedRanking(
                factors=self.factors, learning_rate=self.learning_rate, regularization=self.regularization,
                iterations=self.iterations, num_threads=1, random_state=self.seed,
            )  # fmt: skip
            model.fit(
                interactions.matrix,
                show_progress=False,
                callback=lambda epoch, *rest: training.progress((epoch + 1) / self.iterations),
            )
            found = model.item_factors[known].astype(np.float64)
            found -= found.mean(axis=0)
            self._vectors[known], self._biases[known] = found[:, :-1], found[:, -1]
        self._prepare()
        training.progress(1.0)

    def _prepare(self) -> None:
        """Centered, so that the moments of the catalog are about its mean; unknown items are zero."""
        known = max(int((self.item_weights > 0).sum()), 1)
        exact = self._vectors.astype(np.float64)
        self._moments = exact.T @ exact / known
        self._drift = exact.T @ self._biases / known
        strength = self.fold_in * max(float(np.trace(self._moments)) / self.factors, 1e-9)
        self._moments[np.diag_indices(self.factors)] += strength

    def _score(self, histories: Interactions) -> Floats:
        scores = self._users(histories).astype(np.float32) @ self._vectors.T + self._biases
        scores[:, self.item_weights == 0] = -np.inf
        return np.asarray(scores, dtype=np.float32)

    def embeddings(self, histories: Interactions) -> tuple[Floats, Floats]:
        return self._users(self._history(histories)).astype(np.float32), self._vectors

    def _users(self, histories: Interactions) -> Doubles:
        """float64[n, factors]; zero for an empty history."""
        users = np.zeros((histories.n_users, self.factors))
        known = np.flatnonzero(np.diff(histories.indptr))
        for start in range(0, len(known), BLOCK_USERS):
            block = known[start : start + BLOCK_USERS]
            pairs = [self._system(*histories.row(int(user))) for user in block]
            left = np.stack([system for system, _ in pairs])
            right = np.stack([pulls.sum(axis=0) for _, pulls in pairs])
            users[block] = np.linalg.solve(left, right[:, :, None])[:, :, 0]
        return users

    def _system(self, items: Ints, weights: npt.NDArray[np.floating]) -> tuple[Doubles, Doubles]:
        """The left side of the equation, and what each item of the history adds to the right one."""
        taken, shares = self._vectors[items].astype(np.float64), weights / weights.sum(dtype=np.float64)
        pulls = taken * (1 - self._biases[items, None]) - self._drift
        return self._moments + (taken.T * shares) @ taken, pulls * shares[:, None]

    def _contributions(self, items: Ints, weights: Doubles, targets: Ints) -> Doubles:
        """The score is linear in what each item pulls; the target's own bias is shared by weight."""
        system, pulls = self._system(items, weights)
        solved = linalg.solve(system, pulls.T, assume_a="pos")
        shared = self._biases[targets, None] * (weights / weights.sum())
        return np.asarray(self._vectors[targets] @ solved + shared)

    def _arrays(self) -> Arrays:
        return {"vectors": self._vectors, "biases": self._biases}

    def _restore(self, arrays: Arrays) -> None:
        self._vectors, self._biases = arrays["vectors"], arrays["biases"]
        if self._vectors.shape != (self.n_items, self.factors) or self._biases.shape != (self.n_items,):
            raise ValueError(f"the item vectors have shape {self._vectors.shape}")
        self._prepare()
