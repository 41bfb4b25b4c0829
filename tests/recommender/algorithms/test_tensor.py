"""User × item × context, on data whose effect of the context was planted."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.algorithms import Interactions, get, load
from recommender.algorithms._cells import Mode, cells_of
from recommender.evaluation import Log, ratio_split
from recommender.evaluation.context import context_gain

DAYPARTS = np.array(["morning", "noon", "evening"])


def shop_with_dayparts():
    """Two tastes; each wants another third of its items in each part of the day, and noise means nothing."""
    random = np.random.default_rng(0)
    users, parts = random.integers(0, 300, 9_000), random.integers(0, 3, 9_000)
    wanted = random.integers(0, 2, 300)[users] * 3 + parts
    pull = random.normal(0, 0.5, 60) + 3.0 * (np.arange(60) % 6 == wanted[:, None])
    items = np.argmax(pull + random.gumbel(size=pull.shape), axis=1)
    context = {"daypart": DAYPARTS[parts].astype(object), "noise": random.integers(0, 2, 9_000)}
    return Log(users, items, np.ones(9_000, np.float32), np.arange(9_000), (300, 60), context)


@pytest.fixture(scope="module")
def split():
    return ratio_split(shop_with_dayparts(), new_only=False, seed=1)


@pytest.fixture(scope="module")
def aware(split):
    return get("tensor")(factors=8).fit(split.train)


@pytest.fixture
def rated():
    """Whoever likes a kind of item on weekdays dislikes it on weekends: users, items, days, ratings."""
    random = np.random.default_rng(0)
    users, items, days = (random.integers(0, n, 4_000) for n in (100, 40, 2))
    tastes, kinds = random.choice([-1, 1], 100), random.choice([-1, 1], 40)
    signed = tastes[users] * kinds[items] * np.where(days == 0, 1, -1)
    return users, items, days, np.clip(3 + signed + random.normal(0, 0.3, 4_000), 1, 5)


def test_a_planted_context_is_worth_more_than_chance(split, aware):
    plain = get("tensor")(factors=8, columns=[]).fit(split.train)
    found = context_gain(aware, plain, split, ["daypart"], k=10)
    assert found.gain.is_above_zero and found.gain.low > 0.15
    noise = get("tensor")(factors=8, columns=["noise"]).fit(split.train)
    useless = context_gain(noise, plain, split, ["noise"], k=10)
    assert abs(useless.gain.difference) < 0.01


def test_lists_follow_the_context(split, aware):
    by_part = {part: aware.recommend([5, 6], 10, context={"daypart": part})[0] for part in DAYPARTS}
    assert set(by_part["morning"][0].tolist()) != set(by_part["evening"][0].tolist())
    each, _ = aware.recommend([5, 6], 10, context={"daypart": ["noon", "evening"]})
    assert np.array_equal(each, [by_part["noon"][0], by_part["evening"][1]])


def test_an_unknown_context_is_the_average_one(aware):
    average, _ = aware.recommend([5], 10)
    for context in ({"daypart": "midnight"}, {"weather": "rain"}, {"now": 12}, {}):
        assert np.array_equal(aware.recommend([5], 10, context=context)[0], average)


def test_histories_bring_the_context_of_their_events(split, aware):
    asked, users = {"daypart": "evening"}, np.arange(50)
    known = aware.recommend(users, 8, context=asked)
    folded = aware.recommend_for(split.train.rows(users), 8, context=asked)
    assert np.array_equal(known[0], folded[0]) and np.array_equal(known[1], folded[1])
    without = aware.recommend_for(replace(split.train.rows(users), events={}), 8, context=asked)
    assert not np.array_equal(known[0], without[0])


def test_one_factor_by_hand():
    """Two users, two items, no context: the item step of one iteration, (Σp² + Σαw p² + λ) q = Σαw p.

    λ = regularization × (users + Σαw), as documented.
    """
    board = Interactions.from_arrays(users=[0, 1, 1], items=[0, 0, 1], weights=[1, 2, 1])
    model = get("tensor")(factors=1, iterations=1, alpha=3.0, regularization=0.1).fit(board)
    first = np.random.default_rng(0).normal(0, 0.02, (4, 1))[:, 0]
    q, p = first[2:], np.zeros(2)
    weights = 3.0 * np.array([[1.0, 0.0], [2.0, 1.0]])
    for user in range(2):
        ridge = 0.1 * (2 + weights[user].sum())
        p[user] = weights[user] @ q / (q @ q + weights[user] @ q**2 + ridge)
    expected = [
        weights[:, i] @ p / (p @ p + weights[:, i] @ p**2 + 0.1 * (2 + weights[:, i].sum())) for i in range(2)
    ]
    assert model._tables[0][:, 0] == pytest.approx(expected)


def test_a_context_that_never_varies_changes_nothing():
    random = np.random.default_rng(2)
    users, items = random.integers(0, 40, 500), random.integers(0, 20, 500)
    plain = Interactions.from_arrays(users=users, items=items, shape=(40, 20))
    same = Interactions.from_arrays(users=users, items=items, context={"x": [7] * 500}, shape=(40, 20))
    lists = [get("tensor")(factors=4).fit(data).recommend(np.arange(40), 5) for data in (plain, same)]
    assert np.array_equal(lists[0][0], lists[1][0]) and np.allclose(lists[0][1], lists[1][1], atol=1e-6)


def test_ratings_are_predicted_in_their_context(rated):
    users, items, days, ratings = rated
    held = np.arange(4_000) % 4 == 0
    data = Interactions.from_arrays(
        users=users[~held], items=items[~held], weights=ratings[~held],
        context={"day": days[~held]}, shape=(100, 40),
    )  # fmt: skip
    aware = get("tensor")(ratings=True, factors=4).fit(data)
    plain = get("tensor")(ratings=True, factors=4, columns=[]).fit(data)
    told = aware.predict(users[held], items[held], context={"day": days[held]})
    errors = (told - ratings[held]) ** 2
    others = (plain.predict(users[held], items[held]) - ratings[held]) ** 2
    by_user = np.bincount(users[held], weights=others - errors)
    assert by_user.mean() - 1.96 * by_user.std() / np.sqrt(100) > 0
    assert np.sqrt(errors.mean()) < 0.5  # the noise alone is .3
    assert np.isfinite(aware.predict([0, 999, -1], [999, 0, 999], context={"day": 1})).all()
    with pytest.raises(ValueError, match="shape"):
        aware.predict([0], [0, 1])


def test_what_was_saved_knows_its_contexts(aware, rated, tmp_path):
    aware.save(tmp_path / "amounts.npz")
    again = load(tmp_path / "amounts.npz")
    for context in (None, {"daypart": "noon", "noise": 1}):
        expected, found = (model.recommend([1, 2], 9, context=context) for model in (aware, again))
        assert np.array_equal(expected[0], found[0]) and np.array_equal(expected[1], found[1])
    users, items, days, ratings = rated
    data = Interactions.from_arrays(users=users, items=items, weights=ratings, context={"day": days})
    model = get("tensor")(ratings=True, factors=3).fit(data)
    model.save(tmp_path / "ratings.npz")
    asked = ([0, 1], [2, 3], {"day": [0, 1]})
    assert np.array_equal(load(tmp_path / "ratings.npz").predict(*asked), model.predict(*asked))


def test_a_pairs_weight_is_spread_over_its_contexts():
    data = Interactions.from_arrays(
        users=[0, 0, 0, 1, 1], items=[0, 0, 0, 1, 2], weights=[1, 2, 1, 1, -1], context={"x": [5, 6, 6, 5, 5]}
    ).damped().positive()  # fmt: skip
    cells = cells_of(data, [Mode.of("x", data.events["x"])], is_explicit=False)
    assert cells.codes.tolist() == [[0, 0, 1], [0, 0, 1], [0, 1, 0]]
    assert cells.amounts == pytest.approx([np.log2(5) / 4, np.log2(5) * 3 / 4, 1.0])
    visits = cells.visits()
    assert visits.codes.tolist() == [[0, 0, 1], [-1, -1, -1], [0, 1, 0]]
    assert visits.amounts == pytest.approx([0.25, 0.75, 1.0])


def test_senseless_parameters_are_refused(rated):
    for wrong in ({"factors": 0}, {"alpha": 0}, {"regularization": -1}, {"context_regularization": 0}):
        with pytest.raises(ValueError, match="positive"):
            get("tensor")(**wrong)
    data = Interactions.from_arrays(users=[0], items=[0], context={"x": [1]})
    with pytest.raises(ValueError, match="no context column y"):
        get("tensor")(columns=["y"]).fit(data)
    with pytest.raises(ValueError, match="no context column x"):
        get("tensor")(columns=["x"]).fit(Interactions.from_arrays(users=[0], items=[0]))
    with pytest.raises(ValueError, match="predicts no ratings"):
        get("tensor")().fit(data).predict([0], [0])
