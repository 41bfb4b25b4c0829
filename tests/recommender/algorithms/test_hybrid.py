"""The blend: its slice, its scale by hand, and that it is never worse than its best part."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, get, load
from recommender.algorithms import _blend as blend


@pytest.fixture
def shop():
    """Users take from one of four topics, and the more popular items of all more often."""
    random = np.random.default_rng(4)
    users = random.integers(0, 250, 6_000)
    own = random.random(6_000) < 0.6
    topic = np.where(own, users % 4, random.integers(0, 4, 6_000))
    items = (random.random(6_000) ** 2 * 20).astype(int) * 4 + topic
    return Interactions.from_arrays(
        users=users, items=items, timestamps=random.integers(0, 10**6, 6_000), shape=(251, 80)
    )


def ndcg(model, rest, held):
    """Over again, one user after the other."""
    values = []
    for user in range(rest.n_users):
        had, wanted = rest.row(user)[0], set(held.row(user)[0].tolist())
        if len(had) and wanted:
            found = model.recommend_for(rest.rows([user]), 20, exclude=[had])[0][0]
            gains = sum(1 / np.log2(place + 2) for place, item in enumerate(found) if item in wanted)
            values.append(gains / sum(1 / np.log2(place + 2) for place in range(min(20, len(wanted)))))
    return np.mean(values)


@pytest.mark.parametrize("parts", [["ease", "popular"], ["als", "item_knn", "popular"]])
def test_it_is_at_least_as_good_as_its_best_part_on_validation(shop, parts):
    model = get("hybrid")(parts=parts).fit(shop)
    assert set(model.validation) == {*parts, "hybrid"}
    assert model.validation["hybrid"] >= max(model.validation[part] for part in parts)
    assert model._weights.sum() == pytest.approx(1) and (model._weights >= 0).all()


def test_what_it_says_of_its_parts_is_their_quality_on_the_slice(shop):
    model = get("hybrid")(parts=["ease", "popular"]).fit(shop)
    held_back = blend.fifth_of_each(shop, 0, by_time=True)
    for name in ("ease", "popular"):
        part = get(name)().fit(held_back.rest)
        assert model.validation[name] == pytest.approx(ndcg(part, held_back.rest, held_back.held))


def test_the_score_is_the_weighted_sum_of_standardized_scores(shop):
    model = get("hybrid")(parts=["ease", "popular"]).fit(shop)
    expected = np.zeros(80)
    for weight, name in zip(model._weights, ("ease", "popular"), strict=True):
        _, scores = get(name)().fit(shop).recommend([5], 80)
        order = get(name)().fit(shop).recommend([5], 80)[0][0]
        row = np.empty(80)
        row[order] = scores[0]
        expected += weight * (row - row.mean()) / row.std()
    items, scores = model.recommend([5], 80)
    assert scores[0] == pytest.approx(expected[items[0]], abs=1e-4)


def test_one_part_is_that_part_alone(shop):
    found, _ = get("hybrid")(parts=["ease"]).fit(shop).recommend(np.arange(50), 10)
    assert np.array_equal(found, get("ease")().fit(shop).recommend(np.arange(50), 10)[0])


def test_a_useless_part_gets_no_say(shop):
    """All items are equally popular here, but each fifth of the users has its own."""
    random = np.random.default_rng(0)
    users = np.repeat(np.arange(200), 10)
    data = Interactions.from_arrays(users=users, items=random.integers(0, 20, 2_000) * 5 + users % 5)
    model = get("hybrid")(parts=["ease", "popular"]).fit(data)
    assert model._weights[0] > 0.8 and model.validation["ease"] > model.validation["popular"]


def test_the_slice_is_the_latest_fifth_of_each_user():
    data = Interactions.from_arrays(
        users=[0] * 10 + [1, 1, 2], items=[*range(10), 0, 1, 0], timestamps=[*range(10, 0, -1), 5, 9, 3]
    )
    held = blend.fifth_of_each(data, 0, by_time=True).held
    assert [held.row(user)[0].tolist() for user in range(3)] == [[0, 1], [1], []]
    rest = blend.fifth_of_each(data, 0, by_time=False).rest
    assert np.diff(rest.indptr).tolist() == [8, 1, 1]


def test_with_repeats_the_slice_is_the_last_tenth_of_the_time():
    """Item 0 was bought at 0, 50 and 100, item 1 at 10 only, item 2 at 95 only; the moment is 90."""
    data = Interactions.from_arrays(
        users=[0] * 5, items=[0, 0, 0, 1, 2], weights=[1.0, 1, 1, 2, 1], timestamps=[0, 50, 100, 10, 95]
    )
    found = blend.latest_of_all(data)
    assert found.held.items.tolist() == [0, 2]
    assert found.rest.items.tolist() == [0, 1]
    assert found.rest.counts.tolist() == [2, 1] and found.rest.weights.tolist() == [2.0, 2.0]
    assert found.rest.timestamps.tolist() == [50, 10]
    with pytest.raises(ValueError, match="timestamps"):
        blend.latest_of_all(Interactions.from_arrays(users=[0], items=[0]))


def test_repeats_bring_the_customers_own_items_to_the_front():
    random = np.random.default_rng(1)
    users = np.repeat(np.arange(100), 40)
    items = (users * 7 + random.integers(0, 4, 4_000)) % 60
    data = Interactions.from_arrays(users=users, items=items, timestamps=random.integers(0, 10**7, 4_000))
    model = get("hybrid")(parts=["repurchase", "popular"], repeats=True).fit(data)
    assert model.validation["hybrid"] >= model.validation["repurchase"] > model.validation["popular"]
    found, _ = model.recommend([3], 4)
    assert set(found[0].tolist()) == set(data.row(3)[0].tolist())


def test_a_scale_of_its_own_is_put_on_each_row():
    found = blend.standardized(np.array([[1, 3, -np.inf, 3], [-np.inf] * 4, [2, 2, 2, 2]], np.float32))
    assert found[0].tolist() == [-1, 1, -1, 1]
    assert not found[1:].any()


def test_all_parts_are_in_the_one_file(shop, tmp_path):
    parts = {"als": {"factors": 4}, "trending": {"half_life_days": 3.0}, "repurchase": {}}
    model = get("hybrid")(parts=parts).fit(shop)
    model.save(tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert again.validation == model.validation and again.parameters == model.parameters
    now = {"now": np.array([10**6, 5 * 10**6])}
    assert np.array_equal(
        again.recommend([1, 2], 20, context=now)[1], model.recommend([1, 2], 20, context=now)[1]
    )


def test_the_finished_share_is_told(shop):
    heard = []
    get("hybrid")(parts=["als", "popular"]).fit(shop, progress=heard.append)
    assert heard == sorted(heard) and heard[-1] == 1.0 and len(heard) > 4


def test_the_need_is_that_of_all_parts_together():
    assert get("hybrid")(parts=["ease", "popular"]).needed_bytes(1, 1_000, 1) == 6_000_000


@pytest.mark.parametrize("wrong", [[], ["hybrid"], ["astrology"], ["tensor"], {"als": {"factors": 0}}])
def test_senseless_parts_are_refused(wrong):
    with pytest.raises(ValueError):
        get("hybrid")(parts=wrong)
