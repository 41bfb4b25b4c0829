"""Texts, tags and numbers of items as words: what the content-based models count."""

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from personalization.words import tokenize
from recommender.algorithms._features import ItemFeatures

# Marks a whole tag, so that the brand "Orange" is not the word "orange".
TAG = "#"


def documents(features: ItemFeatures, n_items: int, *, number_bins: int = 0) -> list[list[str]]:
    """The words of each item: its tags as wholes, its numbers as the fifth (or so) they lie in, its text."""
    found: list[list[str]] = [[] for _ in range(n_items)]
    for words, tags in zip(found, features.tags, strict=False):
        words += [TAG + unicodedata.normalize("NFKC", tag).casefold().strip() for tag in tags]
    if number_bins:
        for name, column in features.numbers.items():
            _add_bins(found, name, np.asarray(column, dtype=np.float64), number_bins)
    for words, text in zip(found, features.texts, strict=False):
        words += tokenize(text)
    return found


def counts(texts: Sequence[Sequence[str]], *, limit: int) -> tuple[sparse.csr_matrix, list[str]]:
    """How often each word stands in each text, float32[texts, words], and the words; at most the `limit` most
    frequent.
    """
    if not any(texts):
        return sparse.csr_matrix(np.zeros((len(texts), 0), dtype=np.float32)), []
    counter = CountVectorizer(analyzer=list, max_features=limit, dtype=np.float32)
    matrix = counter.fit_transform(texts)
    return sparse.csr_matrix(matrix), list(counter.get_feature_names_out())


def _add_bins(found: list[list[str]], name: str, column: npt.NDArray[np.float64], bins: int) -> None:
    known = np.isfinite(column)
    if not known.any():
        return
    edges = np.unique(np.quantile(column[known], np.arange(1, bins) / bins))
    for item in np.flatnonzero(known):
        found[item].append(f"{TAG}{name} {np.searchsorted(edges, column[item], side='right')}")
