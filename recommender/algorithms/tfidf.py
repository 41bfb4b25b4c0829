"""Items with the same telling words are alike: TF-IDF over texts and tags."""

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from recommender.algorithms._base import Training, gettext_noop
from recommender.algorithms._content import SimilarityRecommender, Vectors
from recommender.algorithms._interactions import Interactions
from recommender.algorithms._words import counts, documents


class Tfidf(SimilarityRecommender):
    """Vectors of words, each (1 + log count) × (1 + log((1 + items) / (1 + items with the word))).

    On scikit-learn; of Chinese and Japanese texts, pairs of characters. `words`: at most so many, the most
    frequent; a long tail of words that only one item has tells nothing about others. Raises ValueError when
    features are given, but no item has a text or a tag. Source: Salton and Buckley (1988).
    """

    name = "tfidf"
    title = gettext_noop("Similar words (TF-IDF)")

    def __init__(self, *, words: int = 50_000) -> None:
        if words < 1:
            raise ValueError("words must be at least 1")
        self.words = words

    def _encode(self, interactions: Interactions, training: Training) -> Vectors:
        features = self._known_features(interactions, training)
        counted, _ = counts(documents(features, interactions.n_items), limit=self.words)
        if not counted.nnz:
            if training.features is not None and interactions.n_items:
                raise ValueError("no item has a text or a tag: there is nothing to compare them by")
            return counted
        training.progress(0.5)
        weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counted)
        return sparse.csr_matrix(weighted, dtype=np.float32)
