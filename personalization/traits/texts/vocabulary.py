"""The words that count, how telling each is, and texts as rows over them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import rjieba
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from personalization.traits.texts import Text
from personalization.words import runs

Floats = npt.NDArray[np.float64]
_STOP_WORDS = ENGLISH_STOP_WORDS | {
    "did",
    "didn",
    "does",
    "doesn",
    "don",
    "isn",
    "wasn",
    "just",
    "got",
    "really",
}
# A word with one of them joins or colors other words and tells nothing by itself.
_FUNCTION = frozenset(
    "的了是我你他她它们在有和也就都很这那不没要会能可着过得地吧吗呢啊被把给跟与及而但又再还太真非常"
)
MOST_WORDS = 3_000
# Said in more than half of all texts, a word tells none from the others.
MOST_COMMON = 0.5


def words_of(text: str) -> list[str]:
    """Words without case; Chinese cut by jieba-rs: a dictionary, and a hidden Markov model for the rest."""
    found: list[str] = []
    for run, unspaced in runs(text):
        found += rjieba.cut(run) if unspaced else [run]
    return found


def content_words(text: str) -> list[str]:
    """Words that tell what a text is about: without function words, numbers and single characters."""
    return [
        word
        for word in words_of(text)
        if len(word) > 1
        and not any(letter.isdigit() for letter in word)
        and word not in _STOP_WORDS
        and not (len(word) == 2 and _FUNCTION & set(word))
    ]


def words_and_pairs(text: str) -> list[str]:
    """All words, and pairs of neighbors: "not good" says the opposite of "good"."""
    words = words_of(text)
    return words + [f"{one} {other}" for one, other in pairwise(words)]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """`weights` float64[words]: 1 + log((1 + texts) / (1 + texts with the word)).

    Source: Salton and Buckley (1988).
    """

    words: list[str]
    weights: Floats

    @classmethod
    def learn(
        cls,
        texts: Sequence[Text],
        bags: Sequence[Sequence[str]],
        *,
        floor: int,
        most_common: float = MOST_COMMON,
    ) -> "Vocabulary":
        """`bags`: the words of each text. Of at least `floor` customers, the most frequent MOST_WORDS."""
        people: defaultdict[str, set[int]] = defaultdict(set)
        found: defaultdict[str, int] = defaultdict(int)
        for text, bag in zip(texts, bags, strict=True):
            for word in set(bag):
                people[word].add(text.customer)
                found[word] += 1
        limit = most_common * len(texts)
        kept = [word for word, who in people.items() if len(who) >= floor and found[word] <= limit]
        words = sorted(sorted(kept, key=lambda word: (-found[word], word))[:MOST_WORDS])
        counts = np.array([found[word] for word in words], dtype=np.float64)
        return cls(words, 1 + np.log((1 + len(texts)) / (1 + counts)))

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Vocabulary":
        return cls(list(stored["words"]), np.array(stored["weights"], dtype=np.float64))

    def stored(self) -> dict[str, Any]:
        return {"words": self.words, "weights": [round(float(weight), 4) for weight in self.weights]}

    def rows(self, bags: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """float64[texts, words]: (1 + log count) × weight, each row of length 1; 0 without known words."""
        place = {word: at for at, word in enumerate(self.words)}
        data: list[float] = []
        columns: list[int] = []
        ends = [0]
        for bag in bags:
            counts: dict[int, int] = {}
            for word in bag:
                if (at := place.get(word)) is not None:
                    counts[at] = counts.get(at, 0) + 1
            ordered = sorted(counts)
            values = np.array([(1 + np.log(counts[at])) * self.weights[at] for at in ordered])
            data += (values / max(float(np.linalg.norm(values)), 1e-12)).tolist()
            columns += ordered
            ends.append(len(columns))
        shape = (len(bags), len(self.words))
        return sparse.csr_matrix((data, columns, ends), shape=shape, dtype=np.float64)

    def keywords(self, bag: Sequence[str], *, most: int) -> list[str]:
        """The most telling words of a text, the most telling first."""
        row = self.rows([bag])
        order = np.argsort(-row.data, kind="stable")
        return distinct([self.words[row.indices[at]] for at in order], most=most)


def distinct(words: Sequence[str], *, most: int) -> list[str]:
    """The first `most`; of a word and its English plural the one that comes first."""
    kept: list[str] = []
    for word in words:
        if f"{word}s" not in kept and word.removesuffix("s") not in kept:
            kept.append(word)
        if len(kept) == most:
            break
    return kept
