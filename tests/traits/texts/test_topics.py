"""Topics against texts whose topics are known."""

import json
import os
import random
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


@pytest.mark.parametrize("seed", [11, 12])
def test_topics_keep_their_names_when_half_of_the_texts_are_new(known, seed):
    topics, texts, _about = known
    new, _ = write_about(80, seed=seed, first=1_000)
    assert sorted(learn_topics([*texts[80:], *new], floor=5, before=topics).names) == sorted(topics.names)


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
    """Names of groceries, as many of each of five departments. Most are three words long and about no topic;
    those that are told must lie in one department far more often than by taking the commonest for all.
    """
    file = SHARED / "completejourney-products.parquet"
    if not file.is_file():
        pytest.skip(f"{file.name} is not here; BESPOKE_SHARED_DATA names the folder it lies in")
    import pyarrow.parquet as pq

    columns = ["department", "product_category", "product_type"]
    rows = {tuple(row[name] for name in columns) for row in pq.read_table(file, columns=columns).to_pylist()}
    draw, named = random.Random(1), defaultdict(list)
    for department, category, kind in sorted(row for row in rows if all(row)):
        named[department].append(f"{category} {kind}")
    largest = sorted(named, key=lambda department: -len(named[department]))[:5]
    least = min(len(named[department]) for department in largest)
    known = [(department, name) for department in largest for name in draw.sample(named[department], least)]
    topics = learn_topics([Text(n, name) for n, (_, name) in enumerate(known)], floor=3)
    told = list(zip(topics.assign([name for _, name in known]), known, strict=True))
    pairs = Counter((topic, department) for topic, (department, _) in told if topic is not None)
    departments = Counter(department for topic, (department, _) in told if topic is not None)
    right = sum(max(n for (of, _), n in pairs.items() if of == topic) for topic in {of for of, _ in pairs})
    assert right / pairs.total() > max(departments.values()) / pairs.total() + 0.2
