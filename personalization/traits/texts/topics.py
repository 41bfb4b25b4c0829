"""Topics of texts: non-negative factors of TF-IDF, as many as come out alike from different texts.

Sources: Lee and Seung (1999) for the factors; Greene, O'Callaghan and Cunningham (2014), How many topics?
Stability analysis for topic models, for their number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import NMF

from personalization.traits.texts import Text, TooFewTexts
from personalization.traits.texts.vocabulary import Vocabulary, content_words, distinct

Floats = npt.NDArray[np.float64]
LEAST_TEXTS = 40
LEAST_WORDS = 12
MOST_TOPICS = 12
TEXTS_PER_TOPIC = 15
TRIES = 5
TOP_WORDS = 10
NAME_WORDS = 3
MOST_FOR_CHOICE = 4_000
# Of a text's length 1: with less of every topic it is about none of them.
LEAST_SHARE = 0.15
UPDATES = 60
# Cosine of a topic with one of the last learning from which on it is the same.
SAME = 0.6


@dataclass(frozen=True, eq=False)
class Topics:
    """`parts` float64[topics, words], rows of length 1, not negative. `names`: each topic by its words, for
    example "delivery, parcel, late". `stability` by number of topics tried."""

    vocabulary: Vocabulary
    parts: Floats
    names: list[str]
    stability: dict[int, float]

    def top_words(self) -> list[list[str]]:
        found = []
        for part in self.parts:
            order = [at for at in np.argsort(-part, kind="stable") if part[at] > 0]
            found.append(distinct([self.vocabulary.words[at] for at in order], most=TOP_WORDS))
        return found

    def shares(self, texts: Sequence[str]) -> Floats:
        """float64[texts, topics]: how much of each topic; zeros for a text about none."""
        rows = self.vocabulary.rows([content_words(text) for text in texts])
        return _fold_in(rows, self.parts)

    def assign(self, texts: Sequence[str]) -> list[int | None]:
        """The topic of each text; None for one that is about none of them."""
        if not len(self.parts):
            return [None] * len(texts)
        shares = self.shares(texts)
        return [int(row.argmax()) if row.max() >= LEAST_SHARE else None for row in shares]

    def stored(self) -> dict[str, Any]:
        sparse_parts = [
            {str(at): round(float(part[at]), 4) for at in np.flatnonzero(part > 1e-4)} for part in self.parts
        ]
        stability = {str(k): round(value, 3) for k, value in self.stability.items()}
        return {
            "vocabulary": self.vocabulary.stored(), "parts": sparse_parts, "names": self.names,
            "stability": stability,
        }  # fmt: skip

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Topics":
        vocabulary = Vocabulary.of(stored["vocabulary"])
        parts = np.zeros((len(stored["parts"]), len(vocabulary.words)))
        for row, part in zip(parts, stored["parts"], strict=True):
            for at, weight in part.items():
                row[int(at)] = weight
        return cls(
            vocabulary,
            parts,
            list(stored["names"]),
            {int(k): float(v) for k, v in stored["stability"].items()},
        )


def learn_topics(texts: Sequence[Text], *, floor: int, before: Topics | None = None, seed: int = 0) -> Topics:
    """Topics that each at least `floor` customers wrote about, of words that at least so many used.

    A topic that was there `before` keeps its name: segments ask for it.
    Raises TooFewTexts below LEAST_TEXTS texts or LEAST_WORDS words.
    """
    bags = [content_words(text.text) for text in texts]
    vocabulary = Vocabulary.learn(texts, bags, floor=floor)
    rows = vocabulary.rows(bags)
    rows = rows[np.diff(rows.indptr) > 0]
    if rows.shape[0] < LEAST_TEXTS or len(vocabulary.words) < LEAST_WORDS:
        raise TooFewTexts
    random = np.random.default_rng(seed)
    some = rows[random.permutation(rows.shape[0])[:MOST_FOR_CHOICE]]
    most = min(MOST_TOPICS, rows.shape[0] // TEXTS_PER_TOPIC, len(vocabulary.words) // 4)
    tried = {k: _agreements(some, k, random=random) for k in range(2, most + 1)}
    number = _choose(tried, before=len(before.parts) if before else 0)
    stability = {k: float(values.mean()) for k, values in tried.items()}
    found = _spoken_of(Topics(vocabulary, _factor(rows, number), [], stability), texts, floor=floor)
    return replace(found, names=_name(found, before))


def _name(topics: Topics, before: Topics | None) -> list[str]:
    """Of each topic the name it had, else its first words; never one name twice."""
    kept = _same_as(topics, before) if before and len(before.parts) and len(topics.parts) else {}
    names: list[str] = []
    for at, words in enumerate(topics.top_words()):
        longer = (", ".join(words[:n]) for n in range(NAME_WORDS, len(words) + 1))
        taken = {*names, *kept.values()}
        names.append(kept.get(at) or next((name for name in longer if name not in taken), f"{at + 1}"))
    return names


def _same_as(topics: Topics, before: Topics) -> dict[int, str]:
    place = {word: at for at, word in enumerate(topics.vocabulary.words)}
    earlier = np.zeros((len(before.parts), len(place)))
    for old, word in enumerate(before.vocabulary.words):
        if word in place:
            earlier[:, place[word]] = before.parts[:, old]
    alike = topics.parts @ earlier.T
    rows, columns = linear_sum_assignment(-alike)
    return {
        int(at): before.names[old] for at, old in zip(rows, columns, strict=True) if alike[at, old] >= SAME
    }


def _choose(tried: Mapping[int, Floats], *, before: int) -> int:
    """Of the numbers whose topics agree as well as the best number's, within one standard error: the one of
    `before`, so that no topic comes or goes without need, else the smallest."""
    best = max(tried, key=lambda k: (tried[k].mean(), -k))
    error = float(tried[best].std(ddof=1)) / np.sqrt(TRIES)
    good = [k for k, values in tried.items() if values.mean() >= tried[best].mean() - error]
    return before if before in good else min(good)


def _agreements(rows: sparse.csr_matrix, k: int, *, random: np.random.Generator) -> Floats:
    """How alike the top words are to those from four fifths of the texts: float64[TRIES], 1 for the same."""
    reference = _top(_factor(rows, k))
    found = []
    for _ in range(TRIES):
        part = random.permutation(rows.shape[0])[: int(0.8 * rows.shape[0])]
        other = _top(_factor(rows[part], k))
        alike = np.array([[_overlap(one, two) for two in other] for one in reference])
        left, right = linear_sum_assignment(-alike)
        found.append(alike[left, right].mean())
    return np.array(found)


def _overlap(one: Sequence[int], two: Sequence[int]) -> float:
    """Average Jaccard of two ranked lists over all depths (Greene et al. 2014, equation 2)."""
    depths = range(1, max(len(one), len(two), 1) + 1)
    return float(
        np.mean([len(set(one[:d]) & set(two[:d])) / len({*one[:d], *two[:d]} or {0}) for d in depths])
    )


def _top(parts: Floats) -> list[list[int]]:
    return [
        [int(at) for at in np.argsort(-part, kind="stable")[:TOP_WORDS] if part[at] > 0] for part in parts
    ]


def _factor(rows: sparse.csr_matrix, k: int) -> Floats:
    model = NMF(k, init="nndsvd", max_iter=400, tol=1e-3, random_state=0)
    model.fit(rows)
    lengths = np.linalg.norm(model.components_, axis=1, keepdims=True)
    return np.asarray(model.components_ / np.maximum(lengths, 1e-12), dtype=np.float64)


def _fold_in(rows: sparse.csr_matrix, parts: Floats) -> Floats:
    """The not negative shares that come nearest to each text, the topics held fixed (Lee, Seung 2001)."""
    wanted = np.asarray(rows @ parts.T)
    shares = wanted.copy()
    between = parts @ parts.T
    for _ in range(UPDATES):
        shares *= wanted / np.maximum(shares @ between, 1e-12)
    return shares


def _spoken_of(topics: Topics, texts: Sequence[Text], *, floor: int) -> Topics:
    """Without topics that fewer than `floor` customers wrote about; their texts fall to others or none."""
    while len(topics.parts):
        people: list[set[int]] = [set() for _ in topics.parts]
        for text, topic in zip(texts, topics.assign([text.text for text in texts]), strict=True):
            if topic is not None:
                people[topic].add(text.customer)
        few = [at for at, who in enumerate(people) if len(who) < floor]
        if not few:
            return topics
        least = min(few, key=lambda at: len(people[at]))
        topics = replace(topics, parts=np.delete(topics.parts, least, axis=0))
    return topics
