"""Who took this also took that: items are neighbors when the same users have them."""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recommender.algorithms._base import Arrays, Recommender, Training, gettext_noop
from recommender.algorithms._interactions import Floats, Interactions, Ints

BLOCK_ITEMS = 512


class ItemKnn(Recommender):
    """Score of an item: the sum over the history of weight × similarity, over the item's nearest neighbors
    only.

    Similarity is the cosine of the two columns, with `shrinkage` added to the denominator, so that a pair
    seen once or twice does not look certain. Source: Sarwar et al. (2001); shrinkage after Bell and Koren
    (2007).
    """

    name = "item_knn"
    title = gettext_noop("Item neighbors")

    def __init__(self, *, neighbors: int = 100, shrinkage: float = 20.0) -> None:
        if neighbors < 1 or shrinkage < 0:
            raise ValueError("neighbors must be at least 1 and shrinkage not negative")
        self.neighbors = neighbors
        self.shrinkage = shrinkage

    def _learn(self, interactions: Interactions, training: Training) -> None:
        matrix = interactions.matrix
        columns = matrix.T.tocsr()
        norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0))).ravel().astype(np.float32)
        blocks = []
        for start in range(0, interactions.n_items, BLOCK_ITEMS):
            stop = min(start + BLOCK_ITEMS, interactions.n_items)
            overlap = (columns[start:stop] @ matrix).tocoo()
            different = overlap.row + start != overlap.col
            target, source = overlap.row[different], overlap.col[different]
            bottom = norms[target + start] * norms[source] + np.float32(self.shrinkage)
            blocks.append(self._nearest(target, source, overlap.data[different] / bottom, start))
            training.progress(stop / interactions.n_items)
        self._similar = _csr(blocks, interactions.n_items)

    def _nearest(
        self, target: npt.NDArray[np.int32], source: npt.NDArray[np.int32], similarity: Floats, start: int
    ) -> tuple[Ints, Ints, Floats]:
        """Keeps the best of each target; equal similarities by item number."""
        order = np.lexsort((source, -similarity, target))
        target, source, similarity = target[order], source[order], similarity[order]
        rank = np.arange(len(target)) - np.searchsorted(target, target)
        keep = rank < self.neighbors
        return target[keep].astype(np.int64) + start, source[keep].astype(np.int64), similarity[keep]

    def _score(self, histories: Interactions) -> Floats:
        scores = np.asarray((histories.matrix @ self._similar).toarray(), dtype=np.float32)
        scores[scores <= 0] = -np.inf  # no neighbor in the history: nothing to say
        return scores

    def _contributions(
        self, items: Ints, weights: npt.NDArray[np.float64], targets: Ints
    ) -> npt.NDArray[np.float64]:
        similar = self._similar[items][:, targets].toarray().astype(np.float64)
        return np.asarray((similar * weights[:, None]).T)

    def _arrays(self) -> Arrays:
        similar = self._similar
        return {"indptr": similar.indptr, "indices": similar.indices, "data": similar.data}

    def _restore(self, arrays: Arrays) -> None:
        self._similar = sparse.csr_matrix(
            (arrays["data"], arrays["indices"], arrays["indptr"]), shape=(self.n_items, self.n_items)
        )


def _csr(blocks: list[tuple[Ints, Ints, Floats]], n_items: int) -> sparse.csr_matrix:
    """Rows are items of the history, columns the items they speak for."""
    if not blocks:
        return sparse.csr_matrix(np.zeros((n_items, n_items), dtype=np.float32))
    targets, sources, values = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return sparse.csr_matrix((values, (sources, targets)), shape=(n_items, n_items), dtype=np.float32)
