"""What is known of items, as columns and as words."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, ItemFeatures, get
from recommender.algorithms._words import counts, documents, tokenize


def test_words_have_no_case_and_chinese_is_cut_into_pairs():
    assert tokenize("Green TEA-bags, 龙井茶 250 g") == ["green", "tea", "bags", "龙井", "井茶", "250", "g"]
    assert tokenize("茶 ＡＢＣ ｱｲｽ 한국어") == ["茶", "abc", "アイ", "イス", "한국어"]
    assert tokenize("… ") == []


def test_a_tag_stays_whole_and_is_no_word_of_the_text():
    features = ItemFeatures(texts=["orange juice", ""], tags=[["Soft drinks", "Orange"], []])
    assert documents(features, 2) == [["#soft drinks", "#orange", "orange", "juice"], []]


def test_a_number_is_the_part_of_the_catalog_it_lies_in():
    prices = np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    found = documents(ItemFeatures(numbers={"price": prices}), 5, number_bins=2)
    assert found == [["#price 0"], ["#price 0"], ["#price 1"], ["#price 1"], []]
    same = ItemFeatures(numbers={"price": np.full(2, 7.0)})
    assert documents(same, 2, number_bins=4) == [["#price 1"], ["#price 1"]]


def test_only_the_most_frequent_words_are_counted():
    matrix, words = counts([["b", "a", "b"], ["b", "c", "a"]], limit=2)
    assert words == ["a", "b"] and matrix.toarray().tolist() == [[1, 2], [1, 1]]
    nothing, words = counts([[], []], limit=5)
    assert nothing.shape == (2, 0) and words == []


def test_without_features_the_takers_of_an_item_are_its_tags():
    data = Interactions.from_arrays(users=[0, 0, 2], items=[0, 1, 1], shape=(3, 3))
    assert ItemFeatures.of_takers(data).tags == [["user 0"], ["user 0", "user 2"], []]


@pytest.mark.parametrize(
    "wrong",
    [
        {"texts": ["one"]},
        {"images": [None]},
        {"numbers": {"price": np.zeros(1)}},
        {"vectors": np.zeros((1, 2), dtype=np.float32)},
        {"vectors": np.full((2, 2), np.nan, dtype=np.float32)},
    ],
)
def test_columns_of_another_length_and_vectors_that_are_no_numbers_are_refused(wrong):
    data = Interactions.from_arrays(users=[0, 1], items=[0, 1])
    with pytest.raises(ValueError, match=next(iter(wrong)) if "numbers" not in wrong else "price"):
        get("tfidf")().fit(data, features=ItemFeatures(**wrong))
