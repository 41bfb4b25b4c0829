"""EASE: one item × item matrix in closed form. Strong on shops of up to some 20,000 items."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

from recommender.algorithms._base import Arrays, Progress, Recommender, Training, gettext_noop
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._reason_kernels import best_of_matrix

BLOCK_ITEMS = 512
# The matrix in single precision, and a half more for blocks and for LAPACK's own.
BYTES_PER_CELL = 4 * 1.5


class Ease(Recommender):
    """Scores are history @ B with B = I − P / diag(P) and P = (XᵀX + λI)⁻¹, its diagonal zero.

    Memory: 4 bytes × items². `memory_limit_mib` overrides what the machine has free.
    Source: Steck (2019), Embarrassingly Shallow Autoencoders, equation 8.
    """

    name = "ease"
    title = gettext_noop("EASE (item to item, closed form)")
    search_space = {"regularization": ("log", 10.0, 5000.0)}
    instead = "als or item_knn"

    def __init__(self, *, regularization: float = 250.0, memory_limit_mib: int | None = None) -> None:
        if regularization <= 0:
            raise ValueError("regularization must be positive")
        self.regularization = regularization
        self.memory_limit_mib = memory_limit_mib

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        return int(BYTES_PER_CELL * n_items**2)

    def _learn(self, interactions: Interactions, training: Training) -> None:
        if not interactions.n_items:
            self._weights = np.zeros((0, 0), dtype=np.float32)
            return
        gram = self._gram(interactions, training.progress)
        # In place: the Cholesky factor, then the inverse, in the memory of XᵀX.
        factor, info = lapack.spotrf(gram, lower=1, overwrite_a=1, clean=0)
        if info:
            raise ValueError(f"the item matrix is not positive definite (LAPACK says {info})")
        training.progress(0.5)
        inverse, info = lapack.spotri(factor, lower=1, overwrite_c=1)
        if info:
            raise ValueError(f"the item matrix cannot be inverted (LAPACK says {info})")
        training.progress(0.9)
        self._weights = _normalized(inverse)
        training.progress(1.0)

    def _gram(self, interactions: Interactions, progress: Progress) -> Floats:
        """XᵀX + λI, lower triangle, in LAPACK's column order."""
        matrix, n_items = interactions.matrix, interactions.n_items
        columns = matrix.T.tocsr()
        gram = np.zeros((n_items, n_items), dtype=np.float32, order="F")
        for start in range(0, n_items, BLOCK_ITEMS):
            stop = min(start + BLOCK_ITEMS, n_items)
            gram[:, start:stop] = (columns[start:stop] @ matrix).toarray().T
            progress(0.2 * stop / n_items)
        gram[np.diag_indices(n_items)] += np.float32(self.regularization)
        return gram

    def _score(self, histories: Interactions) -> Floats:
        return np.asarray(histories.matrix @ self._weights, dtype=np.float32)

    def _contributions(
        self, items: Ints, weights: npt.NDArray[np.float64], targets: Ints
    ) -> npt.NDArray[np.float64]:
        return np.asarray((self._weights[np.ix_(items, targets)] * weights[:, None]).T)

    def _find_reasons(self, rows: Interactions, targets: Ints, found: Ints) -> None:
        best_of_matrix(rows.indptr, rows.items, rows.weights, self._weights, targets, found)

    def _arrays(self) -> Arrays:
        return {"weights": self._weights}

    def _restore(self, arrays: Arrays) -> None:
        self._weights = arrays["weights"]
        if self._weights.shape != (self.n_items, self.n_items):
            raise ValueError(f"the item matrix has shape {self._weights.shape}")


def _normalized(inverse: Floats) -> Floats:
    """B in the memory of P: column j divided by −P[j, j], the diagonal zero. Answers it in row order."""
    n_items = len(inverse)
    diagonal = inverse.diagonal().copy()
    # P is symmetric, so its transpose is the same matrix in row order, with the upper triangle filled.
    weights = inverse.T
    for start in range(0, n_items, BLOCK_ITEMS):
        stop = min(start + BLOCK_ITEMS, n_items)
        block = weights[start:stop, start:stop]
        block[:] = np.triu(block) + np.triu(block, 1).T
        weights[stop:, start:stop] = weights[start:stop, stop:].T
    for start in range(0, n_items, BLOCK_ITEMS):
        weights[start : start + BLOCK_ITEMS] /= -diagonal
    weights[np.diag_indices(n_items)] = 0.0
    return weights
