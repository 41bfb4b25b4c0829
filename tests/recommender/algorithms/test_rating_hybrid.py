import numpy as np
import pytest

from recommender.algorithms import Interactions, get, load

QUICK = {"pmf": {"factors": 4}, "svd": {"factors": 2, "epochs": 3}}
EXPLAINED = {
    "bpmf": {"factors": 3, "samples": 20},
    "item_knn": {"similarity": "pearson_baseline"},
    "svdpp": {"factors": 4},
}


@pytest.fixture(scope="module")
def split():
    random = np.random.default_rng(3)
    users, items = np.divmod(random.permutation(120 * 60)[:4000], 60)
    taste, nature = random.normal(size=(120, 2)), random.normal(size=(60, 2))
    ratings = 3 + (taste[users] * nature[items]).sum(axis=1) + random.normal(0, 0.4, 4000)
    held = np.arange(len(users)) % 5 == 0
    data = Interactions.from_arrays(users=users[~held], items=items[~held], weights=ratings[~held])
    return data, (users[held], items[held], ratings[held])


def rmse(model, held):
    return np.sqrt(np.mean((model.predict(*held[:2]) - held[2]) ** 2))


def test_a_blend_is_at_most_a_hundredth_worse_than_the_one_model_that_is_right(split):
    data, held = split
    parts = [rmse(get(name)(**parameters).fit(data), held) for name, parameters in EXPLAINED.items()]
    assert rmse(get("rating_hybrid")(parts=EXPLAINED).fit(data), held) < 1.01 * min(parts)


def test_the_better_part_weighs_more(split):
    model = get("rating_hybrid")(parts=QUICK).fit(split[0])
    assert list(model.parts) == ["pmf", "svd"]
    assert model._weights[0] > 0.8 and model._weights[0] > 2 * abs(model._weights[1])


def test_with_few_ratings_all_parts_weigh_the_same():
    data = Interactions.from_arrays(users=[0, 0, 1, 2], items=[0, 1, 1, 0], weights=[5.0, 1, 2, 4])
    assert get("rating_hybrid")(parts=QUICK).fit(data)._weights.tolist() == [0.5, 0.5]


def test_reasons_add_up_to_the_expected_rating(split):
    model = get("rating_hybrid")(parts=EXPLAINED).fit(split[0])
    items, scores = model.recommend([5], 3)
    for item, score in zip(items[0], scores[0], strict=True):
        shares = [share for _, share in model.explain(5, int(item), 10**6)]
        assert len(shares) == len(model._histories.row(5)[0])
        assert sum(shares) == pytest.approx(float(score), abs=1e-4)
    mute = get("rating_hybrid")(parts={"nmf": {}, **QUICK}).fit(split[0])
    assert mute.explain(5, 0) == []


def test_parameters_and_parts_outlive_a_file(split, tmp_path):
    data, held = split
    model = get("rating_hybrid")(parts=QUICK, seed=4).fit(data)
    model.save(tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert again.parameters == {"parts": QUICK, "seed": 4}
    assert np.array_equal(model.predict(*held[:2]), again.predict(*held[:2]))


def test_progress_is_heard_in_order_over_both_runs(split):
    heard = []
    get("rating_hybrid")(parts=QUICK).fit(split[0], progress=heard.append)
    assert heard == sorted(heard) and heard[-1] == 1


@pytest.mark.parametrize("parts", [{}, {"rating_hybrid": {}}, {"item_knn": {}}, {"als": {}}])
def test_only_models_of_ratings_are_blended(parts):
    with pytest.raises(ValueError, match="model of ratings"):
        get("rating_hybrid")(parts=parts)
