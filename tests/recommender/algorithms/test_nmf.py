import numpy as np
import pytest

from recommender.algorithms import Interactions, get
from recommender.algorithms._sgd_kernels import multiply_rows


@pytest.fixture(scope="module")
def two_tastes():
    """Even users rate even items high and odd ones low, odd users the reverse; the data, and the model."""
    random = np.random.default_rng(4)
    users, items = np.divmod(random.permutation(80 * 20)[:900], 20)
    ratings = np.where(users % 2 == items % 2, 4.5, 1.5) + random.normal(0, 0.3, 900)
    data = Interactions.from_arrays(users=users, items=items, weights=ratings, shape=(81, 21))
    return data, get("nmf")(factors=2, regularization=0.02).fit(data)


def test_one_update_is_the_one_done_by_hand():
    """One user, ratings 4 and 2 of items 1 and 3: p × (4·1 + 2·3) / (r̂₁·1 + r̂₂·3 + 2·0.5·p), p = 1."""
    p, q = np.ones((1, 1), np.float32), np.array([[1], [3]], np.float32)
    ratings = np.array([4, 2], np.float32)
    multiply_rows(np.array([0, 2]), np.array([0, 1]), ratings, p, q, np.float32(0.5))
    assert p[0, 0] == pytest.approx(10 / (1 * 1 + 3 * 3 + 2 * 0.5 * 1))


def test_all_factors_are_non_negative(two_tastes):
    model = two_tastes[1]
    assert (model._users >= 0).all() and (model._items >= 0).all()


def test_topics_are_the_planted_tastes(two_tastes):
    found = two_tastes[1].topics(10)
    assert sorted(map(sorted, found)) == [list(range(0, 20, 2)), list(range(1, 20, 2))]
    assert all(len(topic) == 3 for topic in two_tastes[1].topics(3))


def test_an_item_nobody_rated_is_in_no_topic(two_tastes):
    assert all(20 not in topic for topic in two_tastes[1].topics(50))


def test_only_observed_ratings_count(two_tastes):
    model = two_tastes[1]
    users = np.repeat(np.arange(80), 20)
    items = np.tile(np.arange(20), 80)
    expected = np.where(users % 2 == items % 2, 4.5, 1.5)
    assert np.abs(model.predict(users, items) - expected).mean() < 0.3


def test_a_new_history_gets_the_items_of_its_taste(two_tastes):
    model = two_tastes[1]
    items, _ = model.recommend_for([[0, 2, 4]], 7, exclude=[[0, 2, 4]])
    assert set(items[0].tolist()) == set(range(6, 20, 2))
    rated = Interactions.from_arrays(users=[0, 0], items=[0, 1], weights=[1.5, 4.5], shape=(1, 21))
    assert set(model.recommend_for(rated, 9)[0][0].tolist()) <= set(range(1, 20, 2))


def test_an_unknown_user_or_item_is_taken_for_a_usual_one(two_tastes):
    data, model = two_tastes
    mean = float(data.weights.mean())
    assert model.predict([500, 80, 500], [0, 20, 500]) == pytest.approx(mean, abs=0.5)


def test_negative_ratings_are_lifted_and_set_down_again(two_tastes):
    data = two_tastes[0]
    rows = np.repeat(np.arange(81), np.diff(data.indptr))
    lower = Interactions.from_arrays(users=rows, items=data.items, weights=data.weights - 5, shape=(81, 21))
    model = get("nmf")(factors=3, regularization=0.02).fit(lower)
    assert model.lowest < -4
    errors = model.predict(rows, data.items) - (data.weights - 5)
    assert np.sqrt(np.mean(errors**2)) < 0.5


def test_equal_ratings_hold_no_topics():
    model = get("nmf")(factors=2).fit(Interactions.from_arrays(users=[0, 1], items=[0, 1]))
    assert model.topics() == []


@pytest.mark.parametrize("wrong", [{"factors": 0}, {"epochs": 0}, {"regularization": -0.1}])
def test_senseless_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="positive"):
        get("nmf")(**wrong)


def test_an_item_that_one_customer_rated_stands_for_no_topic():
    """Two tastes of 40 customers, and one item that a single customer gave five stars, too."""
    users, items = np.divmod(np.arange(40 * 10), 10)
    ratings = np.where(users % 2 == items % 2, 5.0, 1.0)
    rated = Interactions.from_arrays(
        users=[*users, 0], items=[*items, 10], weights=[*ratings, 5.0], shape=(40, 11)
    )
    topics = get("nmf")(factors=2).fit(rated).topics(3)
    assert all(10 not in topic for topic in topics)
