import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from recommender.algorithms import Interactions, ItemFeatures, get
from recommender.evaluation.cold_start import cold_start_split, compare_cold
from tests.recommender.algorithms.content_data import shop, words_of


def history(*items, n_items):
    return Interactions.from_histories([items], n_items=n_items)


def test_the_score_is_the_mean_cosine_of_scikit_learns_vectors():
    texts = ["green tea", "black tea tea", "coffee beans", "green coffee cup", ""]
    data = Interactions.from_arrays(users=[0, 0], items=[0, 1], weights=[3.0, 1.0], shape=(1, 5))
    model = get("tfidf")().fit(data, features=ItemFeatures(texts=texts))
    vectors = TfidfVectorizer(sublinear_tf=True).fit_transform(texts).toarray()
    expected = (0.75 * vectors[0] + 0.25 * vectors[1]) @ vectors.T
    items, scores = model.recommend([0], 5)
    found = dict(zip(items[0].tolist(), scores[0].tolist(), strict=True))
    assert found.pop(-1) == -np.inf  # nothing in common with coffee beans, nothing known of the last
    assert found == pytest.approx({item: expected[item] for item in (0, 1, 3)}, abs=1e-6)
    assert dict(model.explain(0, 3))[0] == pytest.approx(0.75 * vectors[0] @ vectors[3], abs=1e-6)


def test_chinese_names_are_alike_by_their_characters():
    texts = ["西湖龙井茶", "龙井绿茶 250克", "陶瓷杯", "速溶咖啡"]
    data = history(0, n_items=4)
    model = get("tfidf")().fit(data, features=ItemFeatures(texts=texts))
    assert model.recommend_for([[0]], 3, exclude=[0])[0].tolist() == [[1, -1, -1]]


def test_tags_count_like_words():
    features = ItemFeatures(tags=[["Tea", "Gift"], ["tea "], ["Coffee"]])
    model = get("tfidf")().fit(history(0, n_items=3), features=features)
    assert model.recommend_for([[0]], 3, exclude=[0])[0].tolist() == [[1, -1, -1]]


def test_features_without_a_word_are_refused():
    with pytest.raises(ValueError, match="no item has a text or a tag"):
        get("tfidf")().fit(history(0, n_items=2), features=ItemFeatures(texts=["", "…"]))


def test_new_items_are_ranked_better_than_by_popularity_and_by_chance():
    log, topics = shop()
    cold = cold_start_split(log, seed=3)
    model = get("tfidf")().fit(cold.split.train, features=words_of(topics))
    report = compare_cold({"tfidf": model}, cold, k=5)
    assert all(report.differences["tfidf"][other].is_above_zero for other in ("popular", "random"))
