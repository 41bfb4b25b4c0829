"""Which words tell the items a user likes from all others: a naive Bayes classifier for each user."""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recommender.algorithms._base import Arrays, Training, gettext_noop
from recommender.algorithms._content import ContentRecommender, restored_csr
from recommender.algorithms._interactions import Floats, Interactions
from recommender.algorithms._words import counts, documents

Values = npt.NDArray[np.float64]
CROWD_ITEMS = 1.0


class NaiveBayes(ContentRecommender):
    """Score: log P(words of the item | liked) / P(… | not liked), by multinomial naive Bayes.

    Liked is the history by weight, not liked is every other item of the catalog. Each item's words count 1
    together, so that long descriptions are not liked or hated for their length (Rennie et al. 2003).
    Numbers such as the price are words too: which fifth of the catalog they lie in. Chances are smoothed
    as if `smoothing` items more had been seen: not liked ones with the words of the catalog, liked ones
    with the words of what people take (each word's share in the catalog × how often its items are taken,
    itself shrunk by CROWD_ITEMS items of usual success). So a short history leans on everybody's taste.

    Nothing is trained for each user: a word that a user never met adds a constant of the user and one of
    the word. Same figures as scikit-learn's MultinomialNB where all items are taken equally often (alpha =
    smoothing × share of the word). Raises ValueError when features are given, but none is a word or number.
    Source: Pazzani and Billsus (1997).
    """

    name = "naive_bayes"
    title = gettext_noop("Liked words (naive Bayes)")

    def __init__(self, *, smoothing: float = 50.0, words: int = 50_000, number_bins: int = 5) -> None:
        if smoothing <= 0 or words < 1 or number_bins < 2:
            raise ValueError("smoothing and words must be positive, number_bins at least 2")
        self.smoothing = smoothing
        self.words = words
        self.number_bins = number_bins

    def _learn(self, interactions: Interactions, training: Training) -> None:
        features = self._known_features(interactions, training)
        texts = documents(features, interactions.n_items, number_bins=self.number_bins)
        counted, _ = counts(texts, limit=self.words)
        if training.features is not None and interactions.n_items and not counted.nnz:
            raise ValueError("no item has a text, a tag or a number: there is nothing to tell them apart by")
        lengths = np.asarray(counted.sum(axis=1)).ravel()
        scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        words = sparse.csr_matrix(sparse.diags(scale) @ counted, dtype=np.float32)
        taken = np.bincount(interactions.items, minlength=interactions.n_items).astype(np.float64)
        self._set(words, _success(words, taken))
        training.progress(1.0)

    def _set(self, words: sparse.csr_matrix, success: Values) -> None:
        words.sort_indices()
        self._words = words
        self._columns = words.T.tocsr()
        self._is_known = np.diff(words.indptr) > 0
        self._success = success
        totals = np.asarray(words.sum(axis=0), dtype=np.float64).ravel()
        self._totals, self._total = totals, max(float(totals.sum()), 1e-9)
        self._catalog = totals / self._total
        crowd = self._catalog * success
        self._crowd = crowd / max(float(crowd.sum()), 1e-9)
        # What an item's words add for a user who met none of them, apart from the user's own constant.
        self._unmet = np.log(self._crowd) - np.log(self._catalog)
        self._base = np.asarray(words @ self._unmet, dtype=np.float32)

    def _score(self, histories: Interactions) -> Floats:
        evidence, unmet = self._evidence(histories)
        scores = np.asarray((evidence @ self._columns).toarray(), dtype=np.float32)
        scores += unmet[:, None].astype(np.float32) + self._base
        scores[:, ~self._is_known] = -np.inf
        return scores

    def _evidence(self, histories: Interactions) -> tuple[sparse.csr_matrix, Values]:
        """What each word met in a history adds beyond an unmet one, and each user's constant of those."""
        known = histories.matrix.astype(np.float64)
        liked = known @ self._words
        seen = sparse.csr_matrix((np.ones_like(known.data), known.indices, known.indptr), known.shape)
        met = seen @ self._words
        liked.sort_indices()
        met.sort_indices()
        rows = np.repeat(np.arange(histories.n_users), np.diff(liked.indptr))
        liked_sum = np.asarray(liked.sum(axis=1)).ravel() + self.smoothing
        rest_sum = np.maximum(self._total - np.asarray(met.sum(axis=1)).ravel(), 0) + self.smoothing
        m, word = self.smoothing, liked.indices
        unmet = np.log(m / liked_sum) - np.log((self._total + m) / rest_sum)
        chance = (liked.data + m * self._crowd[word]) / liked_sum[rows]
        rest = np.maximum(self._totals[word] - met.data, 0)
        other = (rest + m * self._catalog[word]) / rest_sum[rows]
        data = np.log(chance) - np.log(other) - unmet[rows] - self._unmet[word]
        return sparse.csr_matrix((data.astype(np.float32), word, liked.indptr), liked.shape), unmet

    def _arrays(self) -> Arrays:
        return {
            "indptr": self._words.indptr, "indices": self._words.indices, "data": self._words.data,
            "n_words": np.array(self._words.shape[1]), "success": self._success,
        }  # fmt: skip

    def _restore(self, arrays: Arrays) -> None:
        self._set(restored_csr(arrays, "", self.n_items), arrays["success"])


def _success(words: sparse.csr_matrix, taken: Values) -> Values:
    """How often items with this word are taken, as a multiple of the usual; 1 for words of new items only."""
    old = taken > 0
    if not old.any():
        return np.ones(words.shape[1])
    usual = taken[old].mean()
    items = np.asarray(words[old].sum(axis=0), dtype=np.float64).ravel()
    takers = np.asarray(words.T @ taken, dtype=np.float64).ravel()
    return np.asarray((takers / usual + CROWD_ITEMS) / (items + CROWD_ITEMS))
