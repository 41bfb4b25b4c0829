import numpy as np
import pytest
from sklearn.naive_bayes import MultinomialNB

from recommender.algorithms import Interactions, ItemFeatures, get
from recommender.evaluation.cold_start import cold_start_split, compare_cold
from tests.recommender.algorithms.content_data import shop, words_of

TAGS = [["a", "b"], ["a"], ["b", "c"], ["c", "d"], ["d"], []]


def scores_of(model, n_items, users=(0,)):
    items, scores = model.recommend(users, n_items)
    return dict(zip(items[0].tolist(), scores[0].tolist(), strict=True))


def test_the_score_is_the_log_odds_of_scikit_learns_classifier():
    # Every item is taken once, so that the crowd prefers nothing.
    data = Interactions.from_arrays(
        users=[0, 0, 1, 1, 1, 1], items=[0, 2, 1, 3, 4, 5], weights=[2.0, 1.0, 1, 1, 1, 1]
    )
    model = get("naive_bayes")(smoothing=2.0).fit(data, features=ItemFeatures(tags=TAGS))
    words = np.array([[0.5, 0.5, 0, 0], [1, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1]])
    share = words.sum(axis=0) / words.sum()
    judge = MultinomialNB(alpha=2 * share, fit_prior=False, force_alpha=True)
    judge.fit(words, [1, 0, 1, 0, 0], sample_weight=[2, 1, 1, 1, 1])
    odds = judge.predict_log_proba(words)
    found = scores_of(model, 6)
    assert found.pop(-1) == -np.inf  # nothing is known of the last one
    assert found == pytest.approx(dict(enumerate(odds[:, 1] - odds[:, 0])), abs=1e-5)


def test_a_short_history_leans_on_what_people_take():
    # Nobody but user 0 took item 0; of the two others, many took item 1 ("good") and nobody item 2 ("bad").
    data = Interactions.from_arrays(users=[0, 1, 2, 3, 4], items=[0, 1, 1, 1, 3], shape=(5, 6))
    features = ItemFeatures(tags=[["x"], ["good"], ["bad"], ["bad"], ["good"], ["new"]])
    found = scores_of(get("naive_bayes")().fit(data, features=features), 6)
    # By hand: items are taken 1.25 times on average (of those taken: 0, 1 and 3, 5/3 times);
    # success of a word: (takers / (5/3) + 1) / (its taken items + 1).
    success = {"x": 1.6 / 2, "good": 2.8 / 2, "bad": 1.6 / 2, "new": 1.0}
    shares = {"x": 1 / 6, "good": 2 / 6, "bad": 2 / 6, "new": 1 / 6}
    whole = sum(success[word] * shares[word] for word in shares)
    crowd = {word: success[word] * shares[word] / whole for word in shares}

    def odds(word, liked, rest):
        chance = (liked + 50 * crowd[word]) / (1 + 50)
        return np.log(chance) - np.log((rest + 50 * shares[word]) / (5 + 50))

    assert found[4] == pytest.approx(odds("good", 0, 2), abs=1e-5)
    assert found[2] == pytest.approx(odds("bad", 0, 2), abs=1e-5)
    assert found[5] == pytest.approx(odds("new", 0, 1), abs=1e-5)
    assert found[0] == pytest.approx(odds("x", 1, 0), abs=1e-5)


def test_the_price_alone_can_tell():
    prices = np.array([1.0, 1.1, 9.0, 9.5, 1.2, 9.2])
    data = Interactions.from_arrays(users=[0, 0, 1], items=[0, 1, 2], shape=(2, 6))
    model = get("naive_bayes")(smoothing=1.0, number_bins=2)
    model.fit(data, features=ItemFeatures(numbers={"price": prices}))
    assert model.recommend([0, 1], 1, exclude=data)[0].tolist() == [[4], [3]]


def test_someone_who_took_everything_is_judged_too():
    data = Interactions.from_arrays(users=[0] * 6, items=range(6))
    found = scores_of(get("naive_bayes")().fit(data, features=ItemFeatures(tags=TAGS)), 6)
    assert np.isfinite([score for item, score in found.items() if item >= 0]).all()


def test_features_without_a_word_are_refused():
    data = Interactions.from_arrays(users=[0], items=[0])
    with pytest.raises(ValueError, match="no item has a text, a tag or a number"):
        get("naive_bayes")().fit(data, features=ItemFeatures(texts=[""]))


def test_new_items_are_ranked_better_than_by_popularity_and_by_chance():
    log, topics = shop()
    cold = cold_start_split(log, seed=3)
    model = get("naive_bayes")().fit(cold.split.train, features=words_of(topics))
    report = compare_cold({"naive_bayes": model}, cold, k=5)
    assert all(report.differences["naive_bayes"][other].is_above_zero for other in ("popular", "random"))
