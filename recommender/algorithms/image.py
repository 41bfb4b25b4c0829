"""Items that look alike: pictures and videos as vectors."""

import numpy as np
import numpy.typing as npt
from sklearn.utils.extmath import randomized_svd

from recommender.algorithms._base import Training, gettext_noop
from recommender.algorithms._content import SimilarityRecommender, Vectors, centered
from recommender.algorithms._encoders import PatchEncoder, encode_items
from recommender.algorithms._interactions import Floats, Interactions


class Image(SimilarityRecommender):
    """Vectors of the pretrained encoder that the features name, else of a small one trained on the pictures
    (see PatchEncoder, with `dimensions` and `centers`); of several pictures or frames of a video their mean.
    Less the mean of all items: what all pictures share tells nothing.

    Raises ValueError when features are given, but no picture can be read.
    """

    name = "image"
    title = gettext_noop("Similar pictures")

    def __init__(self, *, dimensions: int = 128, centers: int = 160, seed: int = 0) -> None:
        if dimensions < 1 or centers < 2:
            raise ValueError("dimensions must be at least 1, centers at least 2")
        self.dimensions = dimensions
        self.centers = centers
        self.seed = seed

    def _encode(self, interactions: Interactions, training: Training) -> Vectors:
        if training.features is None:
            return self._takers(interactions)
        trained = PatchEncoder(dimensions=self.dimensions, centers=self.centers, seed=self.seed)
        vectors, has = encode_items(training.features, interactions.n_items, trained)
        if interactions.n_items and not has.any():
            raise ValueError("no item has a picture or video that can be read: there is nothing to compare")
        return centered(vectors, has)

    def _takers(self, interactions: Interactions) -> Floats:
        """Stands in for pictures where there are no features: who took an item, in few dimensions."""
        columns = interactions.matrix.T.tocsr()
        if not columns.nnz:
            return np.zeros((interactions.n_items, 1), dtype=np.float32)
        size = min(self.dimensions, *columns.shape)
        left, values, _ = randomized_svd(columns, n_components=size, random_state=self.seed)
        has: npt.NDArray[np.bool_] = np.diff(columns.indptr) > 0
        return centered(np.asarray(left * values, dtype=np.float32), has)
