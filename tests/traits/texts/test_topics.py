"""Topics against texts whose topics are known."""

import json
import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from personalization.traits.texts import Text, TooFewTexts
from personalization.traits.texts.topics import Topics, learn_topics
from personalization.traits.texts.vocabulary import content_words, distinct
from tests.traits.texts.writing import ABOUT, write_about

SHARED = Path(
    os.environ.get("BESPOKE_SHARED_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data"
)


@pytest.fixture(scope="module")
def known() -> tuple[Topics, list[Text], list[str]]:
    texts, about = write_about(160)
    return learn_topics(texts, floor=5), texts, about


def test_the_topics_are_those_that_people_wrote_about(known):
    topics, texts, about = known
    told = topics.assign([text.text for text in texts])
    meant: defaultdict[int | None, Counter[str]] = defaultdict(Counter)
    for topic, truth in zip(told, about, strict=True):
        meant[topic][truth] += 1
    assert len(topics.names) == 4
    assert sum(max(counts.values()) for counts in meant.values()) >= 0.95 * len(texts)


def test_a_topic_is_named_by_its_words_in_its_language(known):
    topics = known[0]
    for name, words in zip(topics.names, topics.top_words(), strict=True):
        assert name == ", ".join(words[:3])
        assert any({*words[:3]} <= {*about.split()} for about in ABOUT.values())
    assert len(set(topics.names)) == len(topics.names)


def test_a_text_about_something_else_has_no_topic(known):
    assert known[0].assign(["Nothing of the sort", ""]) == [None, None]


def test_what_is_stored_tells_the_same(known):
    topics, texts, _about = known
    again = Topics.of(json.loads(json.dumps(topics.stored())))
    written = [text.text for text in texts]
    assert again.names == topics.names and again.assign(written) == topics.assign(written)


def test_topics_that_stay_keep_their_names(known):
    topics, texts, _about = known
    renamed = Topics(
        topics.vocabulary, topics.parts, [f"before {n}" for n in range(len(topics.parts))], topics.stability
    )
    assert sorted(learn_topics(texts, floor=5, before=renamed).names) == sorted(renamed.names)


def test_words_of_few_customers_are_not_learned():
    texts, _about = write_about(160)
    secret = [Text(9_000, "Mallory Zimmermann parcel parcel late delivery")] * 30
    topics = learn_topics([*texts, *secret], floor=5)
    assert not {"mallory", "zimmermann"} & set(topics.vocabulary.words)


def test_a_handful_of_texts_makes_no_topics():
    with pytest.raises(TooFewTexts):
        learn_topics(write_about(30)[0], floor=3)


def test_function_words_numbers_and_plurals_tell_nothing():
    assert content_words("The 3 teas of 2024 are 非常好的绿茶") == ["teas", "绿茶"]
    assert distinct(["parcel", "parcels", "teas", "tea", "late"], most=3) == ["parcel", "teas", "late"]


def test_topics_of_real_product_texts_are_departments():
    """Names of groceries: each topic must lie mostly in one department."""
    file = SHARED / "completejourney-products.parquet"
    if not file.is_file():
        pytest.skip(f"{file.name} is not here; BESPOKE_SHARED_DATA names the folder it lies in")
    import pyarrow.parquet as pq

    rows = pq.read_table(file, columns=["department", "product_type"]).slice(0, 1_500).to_pylist()
    rows = [row for row in rows if row["product_type"] and row["department"]]
    topics = learn_topics([Text(n, row["product_type"]) for n, row in enumerate(rows)], floor=10)
    told = topics.assign([row["product_type"] for row in rows])
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for topic, row in zip(told, rows, strict=True):
        if topic is not None:
            found[topic][row["department"]] += 1
    counted = sum(counts.total() for counts in found.values())
    assert sum(max(counts.values()) for counts in found.values()) / counted > 0.75
