"""TF-IDF and a logistic regression on (messages, hits) of subject lines, judged on lines it has not seen.

Arrays and JSON in and out, no Django. A rate is a fraction of the messages. Subjects differ by more than
chance (whom they went to, the season), so counts are weighted down by their overdispersion: McCullagh and
Nelder (1989), "Generalized Linear Models", section 4.5.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from campaigns.subject_lines.words import terms_of

MIN_SUBJECTS, MIN_MESSAGES, MIN_HITS = 40, 4_000, 100
FOLDS, RESAMPLES, SEED = 5, 1_000, 20
IN_BETWEEN = (0.1, 0.9)  # eight of ten lines come out between these quantiles
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """What one subject line did, over all messages that had it."""

    subject: str
    messages: int
    hits: int


@dataclass(frozen=True)
class Trained:
    """`gain`: the share of the differences between unseen lines that it explains (0 is guessing the average,
    1 is perfect), with a 95 % interval over lines. `low`, `high`: rate to prediction of unseen lines, see
    IN_BETWEEN. `speaks`: whether the interval lies above 0."""

    terms: dict[str, int]
    weights: list[float]  # coefficient, by term
    idf: list[float]
    intercept: float
    average: float
    gain: float
    gain_low: float
    gain_high: float
    low: float
    high: float
    lines: int
    messages: int

    @property
    def speaks(self) -> bool:
        return self.gain_low > 0

    def predict(self, subject: str) -> float:
        return _logistic(self.intercept + sum(self.shares(subject).values()))

    def shares(self, subject: str) -> dict[str, float]:
        """What each known term of the line adds to the log-odds."""
        found = {t: n * self.idf[self.terms[t]] for t, n in terms_of(subject).items() if t in self.terms}
        norm = math.sqrt(sum(value * value for value in found.values())) or 1.0
        return {term: value / norm * self.weights[self.terms[term]] for term, value in found.items()}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Trained":
        return cls(**value)


def train(lines: Iterable[Line]) -> Trained | None:
    """None when there is too little to learn from: see the constants."""
    known = _merged(lines)
    messages, hits = (sum(getattr(one, name) for one in known) for name in ("messages", "hits"))
    if len(known) < MIN_SUBJECTS or messages < MIN_MESSAGES or min(hits, messages - hits) < MIN_HITS:
        return None
    n = np.array([one.messages for one in known], dtype=np.float64)
    k = np.array([one.hits for one in known], dtype=np.float64)
    subjects = [one.subject for one in known]
    predicted, average = _held_out(subjects, n, k)
    ours, base = _deviance(n, k, predicted), _deviance(n, k, average)
    low, high = _gain_interval(ours, base)
    spread = np.quantile((k + 0.5) / (n + 1) / predicted, IN_BETWEEN)
    terms, idf, weights, intercept = _fit(subjects, n, k)
    return Trained(
        terms, weights.tolist(), idf.tolist(), intercept, hits / messages,
        float(1 - ours.sum() / base.sum()), low, high, float(spread[0]), float(spread[1]),
        len(known), int(messages),
    )  # fmt: skip


def _merged(lines: Iterable[Line]) -> list[Line]:
    """One row for each wording, in the order of the alphabet, so that nothing depends on the database's."""
    sums: dict[str, list[int]] = {}
    for one in lines:
        counts = sums.setdefault(" ".join(one.subject.split()), [0, 0])
        counts[0] += one.messages
        counts[1] += min(one.hits, one.messages)
    return [Line(subject, *counts) for subject, counts in sorted(sums.items()) if subject and counts[0] > 0]


def _fit(subjects: Sequence[str], n: Floats, k: Floats) -> tuple[dict[str, int], Floats, Floats, float]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(analyzer=_analyze, min_df=2)
    try:
        x = words.fit_transform(subjects)
    except ValueError:  # no two lines share a term
        return {}, np.zeros(0), np.zeros(0), _logit(k.sum() / n.sum())
    average = np.full(len(n), k.sum() / n.sum())
    dispersion = max(_deviance(n, k, average).sum() / max(len(n) - 1, 1), 1.0)
    from scipy.sparse import vstack

    model = LogisticRegression(max_iter=2_000)
    model.fit(
        vstack([x, x]), np.repeat([1, 0], len(n)), sample_weight=np.concatenate([k, n - k]) / dispersion
    )
    terms = {term: int(at) for term, at in words.vocabulary_.items()}
    return terms, words.idf_, model.coef_[0], float(model.intercept_[0])


def _analyze(subject: str) -> list[str]:
    return list(terms_of(subject).elements())


def _held_out(subjects: Sequence[str], n: Floats, k: Floats) -> tuple[Floats, Floats]:
    """For each line, what a model trained without it says, and the average without it."""
    folds = np.random.default_rng(SEED).permutation(len(n)) % FOLDS
    predicted, average = np.zeros(len(n)), np.zeros(len(n))
    for fold in range(FOLDS):
        rest, own = (np.flatnonzero(one).tolist() for one in (folds != fold, folds == fold))
        terms, idf, weights, intercept = _fit([subjects[at] for at in rest], n[rest], k[rest])
        rate = k[rest].sum() / n[rest].sum()
        model = Trained(
            terms, weights.tolist(), idf.tolist(), intercept, rate, 0, 0, 0, 0, 0, len(rest), 0
        )  # fmt: skip
        predicted[own] = [model.predict(subjects[at]) for at in own]
        average[own] = rate
    return predicted, average


def _deviance(n: Floats, k: Floats, rate: Floats) -> Floats:
    """Binomial deviance of each line."""
    from scipy.special import xlogy

    p: Floats = np.clip(rate, 1e-9, 1 - 1e-9).astype(np.float64)
    found = xlogy(k, k / (n * p)) + xlogy(n - k, (n - k) / (n * (1 - p)))
    return np.asarray(2 * found, dtype=np.float64)


def _gain_interval(ours: Floats, base: Floats) -> tuple[float, float]:
    picks = np.random.default_rng(SEED).integers(0, len(ours), (RESAMPLES, len(ours)))
    gains = 1 - ours[picks].sum(axis=1) / np.maximum(base[picks].sum(axis=1), 1e-12)
    low, high = np.quantile(gains, (0.025, 0.975))
    return float(low), float(high)


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


def _logit(rate: float) -> float:
    return math.log(rate / (1 - rate))
