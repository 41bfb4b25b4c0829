"""What the content-based models share: items known by what they are, also those that nobody took yet."""

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recommender.algorithms._base import Arrays, Recommender, Training
from recommender.algorithms._features import ItemFeatures
from recommender.algorithms._interactions import Floats, Interactions, Ints

Vectors = sparse.csr_matrix | npt.NDArray[np.float32]


class ContentRecommender(Recommender):
    """Learns what a user likes from the features of the items in the history.

    Fitted without features, the users who took an item stand for what it is (ItemFeatures.of_takers).
    """

    uses_features = True

    def _known_features(self, interactions: Interactions, training: Training) -> ItemFeatures:
        return ItemFeatures.of_takers(interactions) if training.features is None else training.features


class SimilarityRecommender(ContentRecommender):
    """Score of an item: its mean similarity (cosine of their vectors) to the items of the history, by weight.

    The shares of the history's items add up to the score. A subclass says how items become vectors. Source:
    Pazzani and Billsus (2007), with the mean of the liked items as the profile (Rocchio 1971).
    """

    _vectors: Vectors

    @abstractmethod
    def _encode(self, interactions: Interactions, training: Training) -> Vectors:
        """One row for each item, of any length but zero; an item that nothing is known of has zeros."""

    def _learn(self, interactions: Interactions, training: Training) -> None:
        self._set(unit_rows(self._encode(interactions, training)))
        training.progress(1.0)

    def _set(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._columns = vectors.T.tocsr() if sparse.issparse(vectors) else vectors.T
        self._is_known = norms(vectors) > 0

    def _score(self, histories: Interactions) -> Floats:
        found = _dense(shares(histories) @ self._vectors @ self._columns)
        found[:, ~self._is_known] = -np.inf
        if sparse.issparse(self._vectors):
            found[found <= 0] = -np.inf  # not one word in common
        return found

    def _contributions(
        self, items: Ints, weights: npt.NDArray[np.float64], targets: Ints
    ) -> npt.NDArray[np.float64]:
        similar = _dense(self._vectors[targets] @ self._vectors[items].T)
        return np.asarray(similar.astype(np.float64) * (weights / weights.sum()))

    def _arrays(self) -> Arrays:
        if not sparse.issparse(self._vectors):
            return {"vectors": self._vectors}
        return {
            "indptr": self._vectors.indptr, "indices": self._vectors.indices, "data": self._vectors.data,
            "n_words": np.array(self._vectors.shape[1]),
        }  # fmt: skip

    def _restore(self, arrays: Arrays) -> None:
        if "vectors" in arrays:
            vectors: Vectors = arrays["vectors"]
        else:
            vectors = restored_csr(arrays, "", self.n_items)
        if vectors.shape[0] != self.n_items:
            raise ValueError(f"the item vectors have shape {vectors.shape}")
        self._set(vectors)


def _dense(scores: Any) -> Floats:
    return np.array(scores.toarray() if hasattr(scores, "toarray") else scores, dtype=np.float32)


def shares(histories: Interactions) -> sparse.csr_matrix:
    """The histories with weights that add up to 1 in each row (an empty one stays empty)."""
    matrix = histories.matrix.copy()
    totals = np.asarray(matrix.sum(axis=1)).ravel()
    matrix.data = matrix.data / np.repeat(totals, np.diff(matrix.indptr))
    return matrix


def norms(vectors: Vectors) -> npt.NDArray[np.float32]:
    squares = vectors.multiply(vectors) if sparse.issparse(vectors) else vectors * vectors
    return np.sqrt(np.asarray(squares.sum(axis=1), dtype=np.float32).ravel())


def unit_rows(vectors: Vectors) -> Vectors:
    """Every row of length 1; zeros stay zeros."""
    lengths = norms(vectors)
    scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    if sparse.issparse(vectors):
        return sparse.csr_matrix(sparse.diags(scale) @ vectors, dtype=np.float32)
    return np.asarray(vectors * scale[:, None], dtype=np.float32)


def centered(vectors: npt.NDArray[np.float32], is_known: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Unit rows less their mean; unknown ones stay zero, and one alone is kept as it is."""
    unit = unit_rows(np.asarray(vectors, dtype=np.float32))
    assert isinstance(unit, np.ndarray)
    if is_known.sum() < 2:
        return unit
    return np.where(is_known[:, None], unit - unit[is_known].mean(axis=0), np.float32(0))


def restored_csr(arrays: Arrays, prefix: str, n_rows: int) -> sparse.csr_matrix:
    """The matrix saved as indptr, indices, data and n_words; raises ValueError when they do not fit."""
    found = sparse.csr_matrix(
        (arrays[f"{prefix}data"], arrays[f"{prefix}indices"], arrays[f"{prefix}indptr"]),
        shape=(n_rows, int(arrays[f"{prefix}n_words"])),
    )
    found.check_format()
    return found
