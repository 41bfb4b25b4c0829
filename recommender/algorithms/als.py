"""Implicit-feedback matrix factorization: each user and item a short vector, on the `implicit` library."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from implicit.cpu.als import AlternatingLeastSquares
from scipy import linalg, sparse

from recommender.algorithms._base import Arrays, Recommender, Training, gettext_noop
from recommender.algorithms._blas import one_blas_thread
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._reason_kernels import best_of_factors

# The library's solver takes one strength per call, so rows of like strength (within 20 %) go together.
STRENGTH_STEP = 1.2
# Between a constant strength (0) and one in proportion to the confidences (1).
FREQUENCY_EXPONENT = 0.5
# Below this, threads cost more than they give; on a busy machine much more.
FEW_INTERACTIONS = 50_000


class Als(Recommender):
    """Weighted least squares over all cells: confidence 1 + alpha × weight where there is an interaction,
    else 1.

    The strength of a row's regularization grows with its confidences: `regularization` × (cells of the row
    + alpha × sum of its weights)^½. The library's own constant λ would have to be found anew for every size
    of data, and so would a strength in full proportion; with the root, one default does on catalogs of
    1,700 and of 10,000 items. User vectors are not kept: they are solved exactly from the history, the same
    way for known and new users. Sources: Hu, Koren and Volinsky (2008); frequency scaling after Rendle et
    al. (2021).
    """

    name = "als"
    title = gettext_noop("ALS (matrix factorization)")
    instead = "item_knn or popular"
    search_space = {
        "factors": ("choice", 32, 64, 96),
        "regularization": ("log", 0.2, 5.0),
        "alpha": ("log", 1.0, 40.0),
    }

    def __init__(
        self,
        *,
        factors: int = 64,
        regularization: float = 1.2,
        alpha: float = 8.0,
        iterations: int = 12,
        seed: int = 0,
    ) -> None:
        if factors < 1 or iterations < 1 or regularization <= 0 or alpha <= 0:
            raise ValueError("factors, iterations, regularization and alpha must be positive")
        self.factors = factors
        self.regularization = regularization
        self.alpha = alpha
        self.iterations = iterations
        self.seed = seed

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        """The vectors, drawn in double precision at first, and four copies of the matrix."""
        return 12 * self.factors * (n_users + 2 * n_items) + 32 * n_interactions

    def _learn(self, interactions: Interactions, training: Training) -> None:
        if len(interactions.items):
            self._items = self._factorized(self._confidences(interactions), training)
        else:
            self._items = np.zeros((interactions.n_items, self.factors), dtype=np.float32)
        self._prepare()
        training.progress(1.0)

    def _factorized(self, matrix: sparse.csr_matrix, training: Training) -> Floats:
        # Rows sorted by group lie together, so that each group is a slice and solved in place. Inside a group
        # they keep their order: sorted by length, one thread would get all the long ones.
        of_users = self._strengths(matrix)
        of_items = self._rounded(self.alpha * self.item_weights.astype(np.float64), matrix.shape[0])
        users, items = np.argsort(of_users, kind="stable"), np.argsort(of_items, kind="stable")
        matrix = matrix[users][:, items].tocsr()
        # The library warns, rightly, of BLAS threads beside its own: ten times slower.
        with one_blas_thread():
            model = _ScaledSolver(self, of_users[users], of_items[items], num_threads=_threads(matrix))
            model.fit(
                matrix,
                show_progress=False,
                callback=lambda iteration, seconds, loss: training.progress(
                    (iteration + 1) / self.iterations
                ),
            )
        found = np.empty_like(model.item_factors)
        found[items] = model.item_factors
        return np.asarray(found)

    def _prepare(self) -> None:
        self._exact = self._items.astype(np.float64)
        self._all = self._exact.T @ self._exact

    def _confidences(self, interactions: Interactions) -> sparse.csr_matrix:
        matrix = interactions.matrix.copy()
        matrix.data = 1 + np.float32(self.alpha) * matrix.data
        return matrix

    def _strengths(self, confidences: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        """λ of each row."""
        extra = np.asarray(confidences.sum(axis=1)).ravel().astype(np.float64) - np.diff(confidences.indptr)
        return self._rounded(extra, confidences.shape[1])

    def _rounded(self, extra: npt.NDArray[np.float64], n_cells: int) -> npt.NDArray[np.float64]:
        """λ from alpha × the sum of weights, rounded to the nearest power of STRENGTH_STEP."""
        raw = self.regularization * (n_cells + extra) ** FREQUENCY_EXPONENT
        return np.asarray(STRENGTH_STEP ** np.rint(np.log(np.maximum(raw, 1e-12)) / np.log(STRENGTH_STEP)))

    def _score(self, histories: Interactions) -> Floats:
        return np.asarray(self._users(histories).astype(np.float32) @ self._items.T, dtype=np.float32)

    def _users(self, histories: Interactions) -> npt.NDArray[np.float64]:
        """float64[n, factors], solved exactly; zero for an empty history."""
        confidences = self._confidences(histories).astype(np.float64)
        strengths = self._strengths(confidences)
        vectors = np.zeros((histories.n_users, self.factors))
        with one_blas_thread():
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

    def _find_reasons(self, rows: Interactions, targets: Ints, found: Ints) -> None:
        strengths, of_row = np.unique(self._strengths(self._confidences(rows)), return_inverse=True)
        inverses = np.linalg.inv(self._all + strengths[:, None, None] * np.eye(self.factors))
        best_of_factors(
            rows.indptr, rows.items, self.alpha * rows.weights.astype(np.float64), self._exact,
            inverses, of_row, targets, found,
        )  # fmt: skip

    def _facts(self) -> dict[str, Any]:
        return {**super()._facts(), "frequency_exponent": FREQUENCY_EXPONENT}

    def _restore_facts(self, facts: dict[str, Any]) -> None:
        super()._restore_facts(facts)
        if facts["frequency_exponent"] != FREQUENCY_EXPONENT:
            raise ValueError(f"it was fitted with the frequency exponent {facts['frequency_exponent']}")

    def _arrays(self) -> Arrays:
        return {"items": self._items}

    def _restore(self, arrays: Arrays) -> None:
        self._items = arrays["items"]
        if self._items.shape != (self.n_items, self.factors):
            raise ValueError(f"the item vectors have shape {self._items.shape}")
        self._prepare()


class _ScaledSolver(AlternatingLeastSquares):
    """The library's fit, with each group of rows solved at its own strength."""

    def __init__(
        self,
        als: Als,
        of_users: npt.NDArray[np.float64],
        of_items: npt.NDArray[np.float64],
        *,
        num_threads: int,
    ) -> None:
        super().__init__(
            factors=als.factors, iterations=als.iterations, random_state=als.seed, num_threads=num_threads
        )
        self._users, self._items = list(_groups(of_users)), list(_groups(of_items))
        self._slices: dict[bool, list[sparse.csr_matrix]] = {}

    @property
    def solver(self) -> Any:
        return self._solve_groups

    def _solve_groups(
        self, rows: sparse.csr_matrix, found: Floats, fixed: Floats, regularization: float, num_threads: int
    ) -> None:
        solve = super().solver
        is_users = found is self.user_factors
        groups = self._users if is_users else self._items
        if is_users not in self._slices:
            self._slices[is_users] = [_rows(rows, start, stop) for start, stop, _ in groups]
        for chosen, (start, stop, strength) in zip(self._slices[is_users], groups, strict=True):
            # Threads for a few rows cost more than they give.
            solve(chosen, found[start:stop], fixed, strength, num_threads=_threads(chosen))


def _rows(matrix: sparse.csr_matrix, start: int, stop: int) -> sparse.csr_matrix:
    """Those rows, sharing the memory of the matrix."""
    first, last = matrix.indptr[start], matrix.indptr[stop]
    parts = matrix.data[first:last], matrix.indices[first:last], matrix.indptr[start : stop + 1] - first
    return sparse.csr_matrix(parts, shape=(stop - start, matrix.shape[1]))


def _threads(matrix: sparse.csr_matrix) -> int:
    """0 is the library's word for all cores."""
    return 1 if matrix.nnz < FEW_INTERACTIONS else 0


def _groups(strengths: npt.NDArray[np.float64]) -> Iterator[tuple[int, int, float]]:
    """Slices of equal strength; works on any order, best on sorted rows."""
    edges = np.flatnonzero(np.diff(strengths)) + 1
    bounds = [0, *edges.tolist(), len(strengths)]
    for start, stop in pairwise(bounds):
        yield start, stop, float(strengths[start])
