"""Expected scores by hand, from the formula in the class."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, get

DAY = 86_400


def events(*rows, **columns):
    """(user, item, day)"""
    users, items, days = (np.array(column) for column in zip(*rows, strict=True))
    return Interactions.from_arrays(users=users, items=items, timestamps=days * DAY, **columns)


@pytest.fixture
def shop():
    """Customer 0 buys item 0 every 10 days and bought item 1 once; customer 1 has item 2."""
    return events((0, 0, 70), (0, 0, 80), (0, 0, 90), (0, 1, 90), (1, 2, 100), shape=(2, 4))


def test_the_score_follows_the_formula(shop):
    items, scores = get("repurchase")(loyalty=0.75, recency=0.5, others=0.3).fit(shop).recommend([0], 4)
    # The one typical interval is 10 days, so all of them are; item 0 was bought 3 times per buyer.
    assert items.tolist() == [[0, 1, 2, -1]]
    expected = [(3 + 0.75 * 2) / 2**0.5, 1 / 2**0.5, 0.3 * 1 / 2]
    assert scores[0, :3] == pytest.approx(expected, rel=1e-6)


def test_few_purchases_of_ones_own_lean_on_the_interval_of_the_item():
    # Item 0: customers 0 to 2 buy it every 10 days, twice each; customer 3 came back after 100 days.
    rows = [(user, 0, day) for user in range(3) for day in (180, 190, 200)]
    data = events(*rows, (3, 0, 100), (3, 0, 200))
    usual = (3 * 20 + 100) / 7
    model = get("repurchase")(loyalty=0, recency=1).fit(data)
    own = {0: (20 + 5 * usual) / 7, 3: (100 + 5 * usual) / 6}
    for user, times in ((0, 3), (3, 2)):
        late = model.recommend([user], 1, context={"now": 230 * DAY})[1][0, 0]
        assert late == pytest.approx(times / (1 + 30 / own[user]), rel=1e-5)


def test_now_moves_the_moment_for_each_customer(shop):
    model = get("repurchase")(loyalty=0, recency=1, others=0).fit(shop)
    scores = model.recommend([0, 0], 1, context={"now": np.array([90 * DAY, 110 * DAY])})[1]
    assert scores[:, 0] == pytest.approx([3.0, 1.0], rel=1e-6)
    # What arrived after the moment asked for happened just now, not in the future.
    assert model.recommend([0], 1, context={"now": 0})[1][0, 0] == pytest.approx(3.0)


def test_counts_are_purchases_even_where_weights_are_damped(shop):
    found = [get("repurchase")().fit(data).recommend([0], 4)[1] for data in (shop, shop.damped())]
    assert np.array_equal(found[0], found[1])


def test_without_others_only_the_customers_own_items_are_listed(shop):
    model = get("repurchase")(others=0).fit(shop)
    assert model.recommend([0, 1], 4)[0].tolist() == [[0, 1, -1, -1], [2, -1, -1, -1]]
    assert (model.recommend_for([[]], 4)[0] == -1).all()


def test_a_new_customer_gets_what_everybody_buys(shop):
    assert get("repurchase")().fit(shop).recommend_for([[]], 4)[0].tolist() == [[0, 1, 2, -1]]


def test_it_finds_who_is_about_to_buy_again_better_than_popularity():
    """Each customer of this made-up shop has three favorites among forty equally popular items."""
    random = np.random.default_rng(2)
    favorites = np.array([random.choice(40, 3, replace=False) for _ in range(200)])
    users = np.repeat(np.arange(200), 30)
    own = random.random(6_000) < 0.6
    items = np.where(own, favorites[users, random.integers(0, 3, 6_000)], random.integers(0, 40, 6_000))
    data = Interactions.from_arrays(users=users, items=items, timestamps=random.integers(0, 300, 6_000) * DAY)

    def found(name):
        lists, _ = get(name)().fit(data).recommend(np.arange(200), 3)
        return np.mean([len(set(row) & set(mine)) / 3 for row, mine in zip(lists, favorites, strict=True)])

    assert found("repurchase") > 0.9 and found("popular") < 0.2


@pytest.mark.parametrize("wrong", [{"loyalty": -1}, {"recency": -0.1}, {"others": -1}])
def test_senseless_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="negative"):
        get("repurchase")(**wrong)
