"""Implicit-feedback matrix factorization: each user and item a short vector."""

from typing import Any

import numpy as np
import numpy.typing as npt
from implicit.cpu.als import AlternatingLeastSquares
from scipy import linalg, sparse

from recommender.algorithms._als_kernels import HalfStep
from recommender.algorithms._base import Arrays, Recommender, Training, gettext_noop
from recommender.algorithms._blas import one_blas_thread
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._reason_kernels import best_of_factors, users_of_factors

# New users are solved by the `implicit` library, at one strength per call: like strengths (within 20 %) are
# made equal, in training too.
STRENGTH_STEP = 1.2
# Between a constant strength (0) and one in proportion to the confidences (1).
FREQUENCY_EXPONENT = 0.5
# So many are solved one by one by inverses that are kept; with more the library's threads are faster.
FEW_USERS = 8
# Below this, threads cost more than they give; on a busy machine much more.
FEW_INTERACTIONS = 50_000
FIRST = np.zeros(1, dtype=np.int64)


class Als(Recommender):
    """Weighted least squares over all cells: confidence 1 + alpha × weight where there is an interaction,
    else 1.

    The strength of a row's regularization grows with its confidences: `regularization` × (cells of the row
    + alpha × sum of its weights)^½. A constant λ would have to be found anew for every size of data, and so
    would a strength in full proportion; with the root, one default does on catalogs of 1,700 and of 10,000
    items. User vectors are not kept: they are solved exactly from the history, the same way for known and
    new users. Sources: Hu, Koren and Volinsky (2008); frequency scaling after Rendle et al. (2021).
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
        """The vectors, those of the items in double precision too, and four copies of the matrix."""
        return 4 * self.factors * (n_users + 3 * n_items) + 32 * n_interactions

    def _learn(self, interactions: Interactions, training: Training) -> None:
        if len(interactions.items):
            self._items = self._factorized(self._confidences(interactions), training)
        else:
            self._items = np.zeros((interactions.n_items, self.factors), dtype=np.float32)
        self._prepare()
        training.progress(1.0)

    def _factorized(self, matrix: sparse.csr_matrix, training: Training) -> Floats:
        random = np.random.default_rng(self.seed)
        users, items = (
            random.random((n, self.factors), dtype=np.float32) * np.float32(0.01) for n in matrix.shape
        )
        of_items = self._rounded(self.alpha * self.item_weights.astype(np.float64), matrix.shape[0])
        for_users = HalfStep(matrix, self._strengths(matrix).astype(np.float32))
        for_items = HalfStep(matrix.T.tocsr(), of_items.astype(np.float32))
        with one_blas_thread():
            for iteration in range(self.iterations):
                for_users.solve(users, items)
                for_items.solve(items, users)
                training.progress((iteration + 1) / self.iterations)
        return items

    def _prepare(self) -> None:
        self._exact = self._items.astype(np.float64)
        self._all = self._exact.T @ self._exact
        self._inverses: dict[float, npt.NDArray[np.float64]] = {}

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
        if histories.n_users <= FEW_USERS:
            users = np.zeros((histories.n_users, self.factors))
            users_of_factors(*self._systems(histories), users)  # type: ignore[call-arg]
            return users
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
        best_of_factors(*self._systems(rows), targets, found)  # type: ignore[call-arg]

    def _systems(self, rows: Interactions) -> tuple[npt.NDArray[Any], ...]:
        """As the kernels take them. The same few strengths come again and again: their inverses are kept."""
        extra = self.alpha * rows.weights.astype(np.float64)
        sums = np.concatenate([[0.0], np.cumsum(extra)])[rows.indptr]
        strengths = self._rounded(np.diff(sums), self.n_items)
        if len(strengths) == 1:  # a page asks for one, and `unique` takes longer than its solution
            return (
                rows.indptr,
                rows.items,
                extra,
                self._exact,
                self._inverse(float(strengths[0]))[None],
                FIRST,
            )
        strengths, of_row = np.unique(strengths, return_inverse=True)
        inverses = np.stack([self._inverse(float(one)) for one in strengths])
        return rows.indptr, rows.items, extra, self._exact, inverses, of_row

    def _inverse(self, strength: float) -> npt.NDArray[np.float64]:
        if strength not in self._inverses:
            system = self._all + strength * np.eye(self.factors)
            self._inverses[strength] = np.linalg.inv(system).astype(np.float64, copy=False)
        return self._inverses[strength]

    def embeddings(self, histories: Interactions) -> tuple[Floats, Floats]:
        return self._users(self._history(histories)).astype(np.float32), self._items

    def item_vectors(self) -> Floats:
        return self._items

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


def _threads(matrix: sparse.csr_matrix) -> int:
    """0 is the library's word for all cores."""
    return 1 if matrix.nnz < FEW_INTERACTIONS else 0
