"""Texts, tags and numbers of items as words: what the content-based models count."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from recommender.algorithms._features import ItemFeatures

# Han and kana are written without spaces; pairs of characters find words without a dictionary
# (Nie, Gao, Zhang and Zhou 2000: about as good as a segmenter for retrieval).
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])\w)+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
# Marks a whole tag, so that the brand "Orange" is not the word "orange".
TAG = "#"


def tokenize(text: str) -> list[str]:
    """Words without case; of Chinese and Japanese every pair of neighboring characters."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if len(run) > 1 and _IS_UNSPACED.match(run):
            found += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            found.append(run)
    return found


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
