import json

import numpy as np
import pytest

from personalization.traits.texts import Text, TooFewTexts
from personalization.traits.texts.sentiment import Sentiment, _check, learn_sentiment
from tests.traits.texts.writing import write_rated


@pytest.fixture(scope="module")
def learned() -> Sentiment:
    return learn_sentiment(write_rated(120), floor=3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (Text(1, "Not good, broken again"), "negative"),
        (Text(1, "质量很好，满意"), "positive"),
        (Text(1, "The box is blue"), None),
        (Text(1, "没有人知道的词"), None),
        (Text(1, "Great quality", rating=0.0), "negative"),
        (Text(1, "Terrible", rating=0.5), "neutral"),
    ],
)
def test_words_tell_the_mood_and_stars_decide_where_there_are_any(learned, text, said):
    assert learned.tell(text) == said


def test_what_is_stored_tells_the_same(learned):
    again = Sentiment.of(json.loads(json.dumps(learned.stored())))
    assert again.chances(["great quality"])[0] == pytest.approx(
        learned.chances(["great quality"])[0], abs=0.01
    )
    assert again.checked == learned.checked


def test_the_figures_are_those_of_the_formulas():
    """AUC 8/9 by counting pairs; its error by Hanley and McNeil (1982) with A = 8/9, three against three."""
    checked = _check(
        np.array([0.9, 0.8, 0.4, 0.5, 0.2, 0.1]), np.array([True, True, True, False, False, False])
    )
    assert checked["auc"] == 0.889 and checked["right"] == round(4 / 6, 3) and checked["right_without"] == 0.5
    a = 8 / 9
    within, without = a / (2 - a), 2 * a * a / (1 + a)
    error = ((a * (1 - a) + 2 * (within - a * a) + 2 * (without - a * a)) / 9) ** 0.5
    assert checked["auc_low"] == pytest.approx(a - 1.96 * error, abs=0.001)


def test_too_few_customers_of_a_kind_tell_nothing():
    with pytest.raises(TooFewTexts):
        learn_sentiment(write_rated(40), floor=3)
    same = [Text(1, text.text, text.rating) for text in write_rated(120)]
    with pytest.raises(TooFewTexts):
        learn_sentiment(same, floor=1)


def test_words_that_say_nothing_about_the_stars_tell_nothing():
    draw = np.random.default_rng(7)
    texts = [
        Text(n, " ".join(draw.choice(["tea", "cup", "box", "day"], 3)), float(n % 2)) for n in range(200)
    ]
    with pytest.raises(TooFewTexts):
        learn_sentiment(texts, floor=3)
