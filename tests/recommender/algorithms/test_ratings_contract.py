"""What every model of explicit ratings promises beside the general contract."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, get, load, names

USERS, ITEMS = 40, 30


@pytest.fixture(params=[name for name in names() if get(name).is_explicit])
def name(request):
    return request.param


@pytest.fixture
def rated():
    """Ratings 1 to 5 in which users and items differ, and taste follows two groups."""
    random = np.random.default_rng(11)
    pairs = random.permutation(USERS * ITEMS)[:600]
    users, items = np.divmod(pairs, ITEMS)
    alike = np.where(users % 2 == items % 2, 0.8, -0.8)
    ratings = np.clip(np.rint(3.2 + alike + random.normal(0, 0.5, len(users))), 1, 5)
    return users, items, ratings


def fit(name, rated, **more):
    users, items, ratings = rated
    data = Interactions.from_arrays(users=users, items=items, weights=ratings, shape=(USERS + 1, ITEMS + 1))
    return get(name)(**more).fit(data)


def test_predictions_are_one_finite_number_per_pair_within_the_scale(name, rated):
    found = fit(name, rated).predict([0, 1, 2, 0], [3, 4, 5, 3])
    assert found.shape == (4,) and np.issubdtype(found.dtype, np.floating)
    assert np.isfinite(found).all() and found.min() >= 1 and found.max() <= 5
    assert found[0] == found[3]


def test_predictions_beat_the_mean_of_all(name, rated):
    users, items, ratings = rated
    held = np.arange(len(users)) % 5 == 0
    model = fit(name, (users[~held], items[~held], ratings[~held]))
    errors = model.predict(users[held], items[held]) - ratings[held]
    plain = ratings[~held].mean() - ratings[held]
    assert np.mean(errors**2) < np.mean(plain**2)


def test_unknown_users_and_items_get_a_rating_all_the_same(name, rated):
    found = fit(name, rated).predict([USERS, 0, 10**6, -1, USERS], [0, ITEMS, 0, 0, ITEMS])
    assert np.isfinite(found).all() and found.min() >= 1 and found.max() <= 5


def test_a_pair_rated_twice_counts_with_its_mean(name):
    users, items = np.array([0, 0, 1, 1, 2, 2, 3]), np.array([0, 1, 0, 2, 1, 2, 0])
    ratings = np.array([4.0, 2.0, 5.0, 3.0, 1.0, 3.0, 4.0])
    once = Interactions.from_arrays(users=users, items=items, weights=ratings)
    twice = Interactions.from_arrays(
        users=np.tile(users, 2),
        items=np.tile(items, 2),
        weights=np.concatenate([ratings - 0.5, ratings + 0.5]),
    )
    found = [get(name)().fit(data).predict(users, items) for data in (once, twice)]
    assert np.allclose(found[0], found[1], atol=1e-5)


def test_what_was_saved_predicts_the_same(name, rated, tmp_path):
    model = fit(name, rated)
    model.save(tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert np.array_equal(model.predict([0, 1, 40], [5, 6, 7]), again.predict([0, 1, 40], [5, 6, 7]))


def test_questions_of_unequal_length_are_refused(name, rated):
    with pytest.raises(ValueError, match="shape"):
        fit(name, rated).predict([0, 1], [0])
    with pytest.raises(ValueError, match="fitted"):
        get(name)().predict([0], [0])
