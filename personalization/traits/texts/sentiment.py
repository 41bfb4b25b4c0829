"""Whether a text praises or complains, learned from the shop's own texts that came with stars.

No lexicon: what "light" praises in a lamp it complains of in a coffee.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from personalization.traits.texts import Text, TooFewTexts
from personalization.traits.texts.vocabulary import Vocabulary, words_and_pairs

Floats = npt.NDArray[np.float64]
POSITIVE, NEUTRAL, NEGATIVE = "positive", "neutral", "negative"
# Four and five stars of five praise, one and two complain; three say neither.
PRAISE, COMPLAINT = 0.75, 0.25
SURE = 0.65
LEAST_EACH = 30
FOLDS = 5
Z95 = 1.96


@dataclass(frozen=True, eq=False)
class Sentiment:
    """Logistic regression over TF-IDF of words and pairs. `checked`: figures of texts it had not seen."""

    vocabulary: Vocabulary
    weights: Floats
    start: float
    checked: dict[str, float]

    def chances(self, texts: Sequence[str]) -> Floats:
        """float64[texts]: how likely each praises."""
        rows = self.vocabulary.rows([words_and_pairs(text) for text in texts])
        return np.asarray(1 / (1 + np.exp(-(rows @ self.weights + self.start))))

    def tell(self, text: Text) -> str | None:
        """The stars decide where there are any; else the words. None between 35 and 65 %: what nobody called
        neutral is not told to be."""
        if text.rating is not None:
            return POSITIVE if text.rating >= PRAISE else NEGATIVE if text.rating <= COMPLAINT else NEUTRAL
        chance = float(self.chances([text.text])[0])
        return POSITIVE if chance >= SURE else NEGATIVE if chance <= 1 - SURE else None

    def stored(self) -> dict[str, Any]:
        return {
            "vocabulary": self.vocabulary.stored(),
            "weights": [round(float(weight), 4) for weight in self.weights],
            "start": round(self.start, 4),
            "held_out": self.checked,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Sentiment":
        vocabulary = Vocabulary.of(stored["vocabulary"])
        return cls(vocabulary, np.array(stored["weights"]), float(stored["start"]), dict(stored["held_out"]))


def learn_sentiment(texts: Sequence[Text], *, floor: int) -> Sentiment:
    """Raises TooFewTexts with fewer than LEAST_EACH praising or complaining customers, and when on texts of
    customers it had not seen it may be no better than chance."""
    rated = [text for text in texts if text.rating is not None and not COMPLAINT < text.rating < PRAISE]
    praises = np.array([text.rating is not None and text.rating >= PRAISE for text in rated], dtype=bool)
    people = np.array([text.customer for text in rated], dtype=np.int64)
    if min(len(np.unique(people[praises])), len(np.unique(people[~praises]))) < LEAST_EACH:
        raise TooFewTexts
    bags = [words_and_pairs(text.text) for text in rated]
    vocabulary = Vocabulary.learn(rated, bags, floor=floor, most_common=1.0)
    if not vocabulary.words:
        raise TooFewTexts
    rows = vocabulary.rows(bags)
    chances = np.zeros(len(rated))
    for seen, unseen in GroupKFold(FOLDS).split(rows, praises, groups=people):
        if len(np.unique(praises[seen])) < 2:
            raise TooFewTexts
        chances[unseen] = _fit(rows[seen], praises[seen]).predict_proba(rows[unseen])[:, 1]
    checked = _check(chances, praises)
    if checked["auc_low"] <= 0.5:
        raise TooFewTexts
    model = _fit(rows, praises)
    return Sentiment(vocabulary, model.coef_[0].astype(np.float64), float(model.intercept_[0]), checked)


def _fit(rows: Any, praises: npt.NDArray[np.bool_]) -> LogisticRegression:
    return LogisticRegression(C=2.0, class_weight="balanced", max_iter=500).fit(rows, praises)


def _check(chances: Floats, praises: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Figures of held-out texts; the interval by Hanley and McNeil (1982)."""
    auc = float(roc_auc_score(praises, chances))
    one, other = int(praises.sum()), int((~praises).sum())
    within, without = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (one - 1) * (within - auc * auc) + (other - 1) * (without - auc * auc)
    error = float(np.sqrt(max(spread, 0.0) / (one * other)))
    told = chances >= 0.5
    return {
        "texts": len(praises),
        "praise": one,
        "complaints": other,
        "auc": round(auc, 3),
        "auc_low": round(auc - Z95 * error, 3),
        "auc_high": round(min(auc + Z95 * error, 1.0), 3),
        "right": round(float((told == praises).mean()), 3),
        "right_without": round(max(one, other) / len(praises), 3),
    }
