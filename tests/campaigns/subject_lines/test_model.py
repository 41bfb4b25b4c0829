"""The predictor of subject lines: finds what is there, and keeps silent where nothing is."""

import json
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from campaigns.subject_lines.model import Line, Trained, train
from campaigns.subject_lines.words import terms_of

WORDS = [
    "new", "shoes", "tea", "summer", "sale", "gift", "today", "only", "last", "chance", "picks", "for",
    "you", "back", "in", "stock", "free", "weekend",
]  # fmt: skip


def made(count: int, *, effect: float, messages: int = 500, seed: int = 3) -> list[Line]:
    """Lines of five words at random; “sale” adds `effect` to the log-odds, everything else does nothing."""
    random = np.random.default_rng(seed)
    lines = []
    for _number in range(count):
        words = random.choice(WORDS, 5, replace=False)
        odds = -1.4 + effect * ("sale" in words) + random.normal(0, 0.05)
        lines.append(Line(" ".join(words), messages, int(random.binomial(messages, 1 / (1 + np.exp(-odds))))))
    return lines


def trained(*args: int, **kw: float) -> Trained:
    model = train(made(*args, **kw))  # type: ignore[arg-type]
    assert model is not None
    return model


def test_a_word_that_works_is_found_and_held_out_lines_confirm_it() -> None:
    model = trained(200, effect=0.8)
    assert model.speaks and 0.5 < model.gain < 1 and model.gain_low < model.gain < model.gain_high
    with_it, without = model.predict("summer sale today only you"), model.predict("summer tea today only you")
    assert with_it == pytest.approx(1 / (1 + np.exp(0.6)), abs=0.04)
    assert without == pytest.approx(1 / (1 + np.exp(1.4)), abs=0.03)
    shares = model.shares("summer sale today")
    assert max(shares, key=shares.__getitem__).startswith("sale") or shares["sale"] > 0


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_where_words_do_nothing_it_keeps_silent(seed: int) -> None:
    model = trained(120, effect=0.0, seed=seed)
    assert not model.speaks and model.gain < 0.1


@pytest.mark.parametrize(
    "lines",
    [made(30, effect=1), made(100, effect=1, messages=20), [Line(f"a {n}", 500, 0) for n in range(99)]],
)
def test_too_little_is_no_model(lines: list[Line]) -> None:
    assert train(lines) is None


def test_eight_of_ten_new_lines_come_out_within_what_it_says() -> None:
    model = trained(200, effect=0.8)
    fresh = made(300, effect=0.8, seed=99)
    inside = [
        model.low <= line.hits / line.messages / model.predict(line.subject) <= model.high for line in fresh
    ]
    assert 0.7 < np.mean(inside) < 0.9


def test_the_model_is_json_and_says_the_same_after_it() -> None:
    model = trained(60, effect=1)
    again = Trained.from_json(json.loads(json.dumps(model.as_json())))
    assert again == model and again.predict("sale today") == model.predict("sale today")


def test_the_order_of_the_lines_and_repeated_wordings_do_not_matter() -> None:
    lines = made(60, effect=1)
    halves = [Line(one.subject, one.messages // 2, one.hits) for one in lines]
    rest = [Line(f" {one.subject}", one.messages - one.messages // 2, 0) for one in reversed(lines)]
    assert train([*rest, *halves]) == train(lines)


def test_predictions_are_those_of_the_library() -> None:
    lines = made(60, effect=1)
    model = train(lines)
    assert model is not None
    words = TfidfVectorizer(analyzer=lambda text: list(terms_of(text).elements()), min_df=2)
    words.fit(sorted(line.subject for line in lines))
    x = words.transform(["sale sale today nothing"])
    expected = 1 / (
        1 + np.exp(-(x @ np.array(model.weights)[list(range(len(model.weights)))] + model.intercept))
    )
    assert model.predict("sale sale today nothing") == pytest.approx(float(expected[0]))


def test_values_numbers_and_chinese_are_terms_and_liquid_tags_are_none() -> None:
    assert terms_of("{{ customer.first_name }}, 20% off!") == Counter(
        {"<value>": 1, "<number>": 1, "%": 1, "off": 1, "!": 1, "<value> <number>": 1, "<number> %": 1,
         "% off": 1, "off !": 1}
    )  # fmt: skip
    assert {"新", "品", "新 品"} <= set(terms_of("新品{% if x %}上市{% endif %}"))
    assert "sale" in terms_of("sale新品")
