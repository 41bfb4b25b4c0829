import numpy as np
import pytest
from scipy import sparse

from recommender.algorithms import Interactions, ItemFeatures, get
from recommender.algorithms.word_embedding import _neighbors, _ppmi
from recommender.evaluation.cold_start import cold_start_split, compare_cold
from tests.recommender.algorithms.content_data import shop, words_of


def nobody(n_items):
    return Interactions.from_arrays(users=np.zeros(0, int), items=np.zeros(0, int), shape=(1, n_items))


def test_words_are_neighbors_within_the_window_of_one_text():
    beside = _neighbors([["a", "b", "a", "c"], ["c"]], ["a", "b", "c"], 2)
    # distance 1: ab, ba, ac; distance 2: aa, bc; both ways
    assert beside.toarray().tolist() == [[2, 2, 1], [2, 0, 1], [1, 1, 0]]


def test_association_is_the_formula_of_levy_and_goldberg():
    counted = np.array([[4.0, 0.0], [1.0, 3.0]])
    contexts = np.array([5.0, 3.0]) ** 0.75
    chance = np.outer([4 / 8, 4 / 8], contexts / contexts.sum())
    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log(counted / 8 / chance), 0)
    assert np.allclose(_ppmi(sparse.csr_matrix(counted)).toarray(), expected, atol=1e-6)


def test_words_that_never_meet_are_alike_by_their_company():
    # "couch" and "sofa" stand beside the same words, "lamp" beside others.
    texts = ["sofa leather seat", "couch leather seat", "sofa cushion", "couch cushion", "lamp bright bulb",
             "lamp bulb", "sofa", "couch", "lamp"]  # fmt: skip
    model = get("word_embedding")(dimensions=4).fit(nobody(9), features=ItemFeatures(texts=texts))
    items, scores = model.recommend_for([[6]], 9, exclude=[6])
    found = dict(zip(items[0].tolist(), scores[0].tolist(), strict=True))
    assert found[7] > 0.5 and found[8] < 0


def test_words_are_alike_when_the_same_people_take_them():
    texts = ["alpha", "beta", "gamma", "delta", "alpha", "beta"]
    data = Interactions.from_arrays(
        users=[0, 0, 1, 1, 2, 2, 3, 3], items=[0, 1, 0, 1, 2, 3, 2, 3], shape=(4, 6)
    )
    model = get("word_embedding")().fit(data, features=ItemFeatures(texts=texts))
    assert set(model.recommend_for([[0]], 3, exclude=[0])[0][0].tolist()) == {1, 4, 5}


def test_own_vectors_are_taken_as_they_are_less_what_all_share():
    vectors = np.array([[1, 0, 5], [0.9, 0.1, 5], [0, 1, 5], [0, 0, 0]], dtype=np.float32)
    model = get("word_embedding")().fit(nobody(4), features=ItemFeatures(vectors=vectors))
    unit = vectors[:3] / np.linalg.norm(vectors[:3], axis=1, keepdims=True)
    centered = unit - unit.mean(axis=0)
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    items, scores = model.recommend_for([[0]], 4, exclude=[0])
    assert items[0].tolist() == [1, 2, -1, -1]
    assert scores[0, :2] == pytest.approx(centered[0] @ centered[1:].T, abs=1e-5)


def test_features_without_a_word_are_refused():
    with pytest.raises(ValueError, match="no item has a text, a tag or a vector"):
        get("word_embedding")().fit(nobody(1), features=ItemFeatures(texts=[""]))


@pytest.mark.parametrize("histories", [0.0, 1.0])
def test_new_items_are_ranked_better_than_by_popularity_and_by_chance(histories):
    log, topics = shop()
    cold = cold_start_split(log, seed=3)
    model = get("word_embedding")(histories=histories).fit(cold.split.train, features=words_of(topics))
    report = compare_cold({"model": model}, cold, k=5)
    assert all(report.differences["model"][other].is_above_zero for other in ("popular", "random"))
