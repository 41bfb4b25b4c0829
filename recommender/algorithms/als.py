"""Implicit-feedback matrix factorization: each user and item a short vector, on the `implicit` library."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from implicit.cpu.als import AlternatingLeastSquares
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from recommender.algorithms._base import Arrays, Recommender, Training, gettext_noop
from recommender.algorithms._interactions import Floats, Interactions, Ints

# The library's solver takes one strength per call, so rows of like strength (within 20 %) go together.
STRENGTH_STEP = 1.2
# Below this, threads cost more than they give; on a busy machine much more.
FEW_INTERACTIONS = 50_000


class Als(Recommender):
    """Weighted least squares over all cells: confidence 1 + alpha × weight where there is an interaction,
    else 1.

    The strength of a row's regularization grows with its confidences: `regularization` × (cells of the row
    + alpha × sum of its weights). The library's own constant λ would have to be found anew for every size
    of data. User vectors are not kept: they are solved exactly from the history, the same way for known
    and new users. Sources: Hu, Koren and Volinsky (2008); frequency scaling after Rendle et al. (2021),
    with exponent 1.
    """

    name = "als"
    title = gettext_noop("ALS (matrix factorization)")
    search_space = {
        "factors": ("choice", 32, 64, 96),
        "regularization": ("log", 0.002, 0.2),
        "alpha": ("log", 1.0, 40.0),
    }

    def __init__(
        self,
        *,
        factors: int = 64,
        regularization: float = 0.02,
        alpha: float = 8.0,
        iterations: int = 15,
        seed: int = 0,
    ) -> None:
        if factors < 1 or iterations < 1 or regularization <= 0 or alpha <= 0:
            raise ValueError("factors, iterations, regularization and alpha must be positive")
        self.factors = factors
        self.regularization = regularization
        self.alpha = alpha
        self.iterations = iterations
        self.seed = seed

    def _learn(self, interactions: Interactions, training: Training) -> None:
        matrix = self._confidences(interactions)
        # Rows sorted by group lie together, so that each group is a slice and solved in place. Inside a group
        # they keep their order: sorted by length, one thread would get all the long ones.
        users = np.argsort(self._strengths(matrix), kind="stable")
        items = np.argsort(self._strengths(matrix.T.tocsr()), kind="stable")
        if not matrix.nnz:
            self._items = np.zeros((interactions.n_items, self.factors), dtype=np.float32)
            return self._prepare()
        # The library warns, rightly, of BLAS threads beside its own: ten times slower.
        with threadpool_limits(limits=1, user_api="blas"):
            model = _ScaledSolver(self, num_threads=_threads(matrix))
            model.fit(
                matrix[users][:, items].tocsr(),
                show_progress=False,
                callback=lambda iteration, seconds, loss: training.progress(
                    (iteration + 1) / self.iterations
                ),
            )
        self._items = np.empty_like(model.item_factors)
        self._items[items] = model.item_factors
        return self._prepare()

    def _prepare(self) -> None:
        self._exact = self._items.astype(np.float64)
        self._all = self._exact.T @ self._exact

    def _confidences(self, interactions: Interactions) -> sparse.csr_matrix:
        matrix = interactions.matrix.copy()
        matrix.data = 1 + np.float32(self.alpha) * matrix.data
        return matrix

    def _strengths(self, confidences: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        """λ of each row, rounded to the nearest power of STRENGTH_STEP."""
        extra = np.asarray(confidences.sum(axis=1)).ravel().astype(np.float64) - np.diff(confidences.indptr)
        raw = self.regularization * (confidences.shape[1] + extra)
        return np.asarray(STRENGTH_STEP ** np.rint(np.log(np.maximum(raw, 1e-12)) / np.log(STRENGTH_STEP)))

    def _score(self, histories: Interactions) -> Floats:
        return np.asarray(self._users(histories).astype(np.float32) @ self._items.T, dtype=np.float32)

    def _users(self, histories: Interactions) -> npt.NDArray[np.float64]:
        """float64[n, factors], solved exactly; zero for an empty history."""
        confidences = self._confidences(histories).astype(np.float64)
        strengths = self._strengths(confidences)
        vectors = np.zeros((histories.n_users, self.factors))
        with threadpool_limits(limits=1, user_api="blas"):
            solver = AlternatingLeastSquares(
                factors=self.factors, dtype=np.float64, num_threads=_threads(confidences)
            )
            solver.item_factors = self._exact
            solver._YtY = self._all
            for strength in np.unique(strengths):
                rows = np.flatnonzero(strengths == strength)
                solver.regularization = float(strength)
                vectors[rows] = solver.recalculate_user(rows, confidences[rows])
        return vectors

    def _contributions(
        self, items: Ints, weights: npt.NDArray[np.float64], targets: Ints
    ) -> npt.NDArray[np.float64]:
        """Section 5 of Hu et al.: the score is Σ over the history of yᵢᵀ W yⱼ × confidence of j."""
        history = Interactions(np.array([0, len(items)]), items, weights.astype(np.float32), self.n_items)
        strength = self._strengths(self._confidences(history))[0]
        taken = self._exact[items]
        confidences = 1 + self.alpha * weights
        system = self._all + (taken.T * (confidences - 1)) @ taken + strength * np.eye(self.factors)
        weighted = linalg.solve(system, self._exact[targets].T, assume_a="pos")
        return np.asarray((weighted.T @ taken.T) * confidences)

    def _arrays(self) -> Arrays:
        return {"items": self._items}

    def _restore(self, arrays: Arrays) -> None:
        self._items = arrays["items"]
        if self._items.shape != (self.n_items, self.factors):
            raise ValueError(f"the item vectors have shape {self._items.shape}")
        self._prepare()


class _ScaledSolver(AlternatingLeastSquares):
    """The library's fit, with each group of rows solved at its own strength."""

    def __init__(self, als: Als, *, num_threads: int) -> None:
        super().__init__(
            factors=als.factors, iterations=als.iterations, random_state=als.seed, num_threads=num_threads
        )
        self._als = als

    @property
    def solver(self) -> Any:
        return self._solve_groups

    def _solve_groups(
        self, rows: sparse.csr_matrix, found: Floats, fixed: Floats, regularization: float, num_threads: int
    ) -> None:
        solve = super().solver
        for start, stop, strength in _groups(self._als._strengths(rows)):
            solve(rows[start:stop], found[start:stop], fixed, strength, num_threads=num_threads)


def _threads(matrix: sparse.csr_matrix) -> int:
    """0 is the library's word for all cores."""
    return 1 if matrix.nnz < FEW_INTERACTIONS else 0


def _groups(strengths: npt.NDArray[np.float64]) -> Iterator[tuple[int, int, float]]:
    """Slices of equal strength; works on any order, best on sorted rows."""
    edges = np.flatnonzero(np.diff(strengths)) + 1
    bounds = [0, *edges.tolist(), len(strengths)]
    for start, stop in pairwise(bounds):
        yield start, stop, float(strengths[start])
