"""Items whose words mean alike: vectors of words, trained on the catalog's texts and on who takes what."""

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from recommender.algorithms._base import Training, gettext_noop
from recommender.algorithms._content import SimilarityRecommender, Vectors, centered, unit_rows
from recommender.algorithms._interactions import Interactions
from recommender.algorithms._words import counts, documents

# Levy, Goldberg and Dagan (2015): rare contexts would otherwise look too telling.
CONTEXT_SMOOTHING = 0.75
# Words are known well enough by then; more users would only cost time.
CONTEXT_USERS = 50_000


class WordEmbedding(SimilarityRecommender):
    """Words are alike when they stand beside the same words, and when the same users take items with them.

    Both are contexts of a word: the PPMI of words × (words within `window` places, users), factorized by
    SVD to `dimensions`, is what skip-gram learns implicitly. `histories` weighs users against neighboring
    words, 0 for texts alone. An item is the mean of its words by idf, less the mean of all items (the part
    that all share). Vectors of one's own in the features, such as of a language model, take the place of
    all that. Raises ValueError when features are given, but no text, tag or vector.

    Sources: Levy and Goldberg (2014); Arora, Liang and Ma (2017) for the items.
    """

    name = "word_embedding"
    title = gettext_noop("Similar meaning (word vectors)")

    def __init__(
        self,
        *,
        dimensions: int = 100,
        window: int = 8,
        histories: float = 1.0,
        words: int = 50_000,
        seed: int = 0,
    ) -> None:
        if dimensions < 1 or window < 1 or words < 1 or histories < 0:
            raise ValueError("dimensions, window and words must be at least 1, histories not negative")
        self.dimensions = dimensions
        self.window = window
        self.histories = histories
        self.words = words
        self.seed = seed

    def _encode(self, interactions: Interactions, training: Training) -> Vectors:
        features = self._known_features(interactions, training)
        if features.vectors is not None and len(features.vectors):
            return centered(features.vectors, np.abs(features.vectors).sum(axis=1) > 0)
        texts = documents(features, interactions.n_items)
        counted, vocabulary = counts(texts, limit=self.words)
        if not vocabulary:
            if training.features is not None and interactions.n_items:
                raise ValueError("no item has a text, a tag or a vector: there is nothing to compare them by")
            return np.zeros((interactions.n_items, 1), dtype=np.float32)
        has = (counted > 0).astype(np.float32).tocsr()
        training.progress(0.1)
        beside = _neighbors(texts, vocabulary, self.window)
        contexts = [_share(_ppmi(beside), 1.0)]
        if self.histories:
            contexts.append(_share(_ppmi(self._takers(has, interactions)), self.histories))
        training.progress(0.4)
        meanings = self._factorize(sparse.hstack(contexts, format="csr"))
        training.progress(0.9)
        n_items = interactions.n_items
        frequency = np.asarray(has.sum(axis=0)).ravel()
        idf = np.log((1 + n_items) / (1 + frequency)).astype(np.float32) + 1
        return centered(has @ (meanings * idf[:, None]), np.diff(has.indptr) > 0)

    def _takers(self, has: sparse.csr_matrix, interactions: Interactions) -> sparse.csr_matrix:
        """How many items with the word each user took: float32[words, users]."""
        users = np.arange(interactions.n_users)
        if len(users) > CONTEXT_USERS:
            users = np.sort(np.random.default_rng(self.seed).choice(users, CONTEXT_USERS, replace=False))
        taken = interactions.rows(users).matrix.copy()
        taken.data = np.ones_like(taken.data)
        return sparse.csr_matrix((taken @ has).T, dtype=np.float32)

    def _factorize(self, matrix: sparse.csr_matrix) -> npt.NDArray[np.float32]:
        """Word vectors of length 1; zeros for a word without a telling context."""
        size = min(self.dimensions, *matrix.shape)
        left, values, _ = randomized_svd(matrix, n_components=size, random_state=self.seed)
        found = unit_rows(np.asarray(left * np.sqrt(values), dtype=np.float32))
        assert isinstance(found, np.ndarray)
        return found


def _neighbors(texts: list[list[str]], vocabulary: list[str], window: int) -> sparse.csr_matrix:
    """How often two words stand within `window` places of each other in one text, both ways."""
    numbers = {word: at for at, word in enumerate(vocabulary)}
    known = [[numbers[word] for word in words if word in numbers] for words in texts]
    words = np.array([word for text in known for word in text], dtype=np.int64)
    owners = np.repeat(np.arange(len(known)), [len(text) for text in known])
    pairs = []
    for distance in range(1, window + 1):
        near = owners[:-distance] == owners[distance:]
        pairs.append((words[:-distance][near], words[distance:][near]))
    first, second = (np.concatenate(column) for column in zip(*pairs, strict=True))
    shape = (len(vocabulary), len(vocabulary))
    one_way = sparse.coo_matrix((np.ones(len(first)), (first, second)), shape=shape).tocsr()
    return sparse.csr_matrix(one_way + one_way.T)


def _ppmi(counted: sparse.csr_matrix) -> sparse.csr_matrix:
    """max(0, log P(word, context) / (P(word) P(context)^0.75 / Σ P(context)^0.75))."""
    found = sparse.coo_matrix(counted, dtype=np.float64)
    total = found.data.sum()
    if not total:
        return sparse.csr_matrix(found)
    rows = np.bincount(found.row, weights=found.data, minlength=found.shape[0])
    columns = np.bincount(found.col, weights=found.data, minlength=found.shape[1]) ** CONTEXT_SMOOTHING
    expected = rows[found.row] * columns[found.col] / columns.sum()
    found.data = np.maximum(np.log(found.data / expected), 0)
    return sparse.csr_matrix(found, dtype=np.float32)


def _share(matrix: sparse.csr_matrix, weight: float) -> sparse.csr_matrix:
    """Scaled to a norm of `weight`, so that neither kind of context wins by its number of columns."""
    norm = float(np.sqrt((matrix.data.astype(np.float64) ** 2).sum()))
    return sparse.csr_matrix(matrix * np.float32(weight / norm)) if norm else matrix
