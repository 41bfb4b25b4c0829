"""Matrix factorization of ratings, and what it shares with `pmf` and `svdpp`."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, NotEnoughMemoryError, get
from recommender.algorithms._sgd_kernels import sgd_epoch

USERS, ITEMS, NOISE = 150, 80, 0.3


@pytest.fixture(scope="module")
def simulated():
    """Ratings of two factors and biases with noise of a known size; every fifth is held out."""
    random = np.random.default_rng(5)
    users, items = np.divmod(random.permutation(USERS * ITEMS)[:5000], ITEMS)
    taste, nature = random.normal(0, 0.8, (USERS, 2)), random.normal(0, 0.8, (ITEMS, 2))
    expected = 3 + random.normal(0, 0.4, USERS)[users] + random.normal(0, 0.4, ITEMS)[items]
    expected += (taste[users] * nature[items]).sum(axis=1)
    ratings = expected + random.normal(0, NOISE, len(users))
    held = np.arange(len(users)) % 5 == 0
    return (users[~held], items[~held], ratings[~held]), (users[held], items[held], ratings[held])


def interactions(part):
    return Interactions.from_arrays(users=part[0], items=part[1], weights=part[2], shape=(USERS, ITEMS))


def rmse(model, part):
    return float(np.sqrt(np.mean((model.predict(part[0], part[1]) - part[2]) ** 2)))


def test_one_step_of_the_descent_is_the_one_done_by_hand():
    """r − b = 1; p = (1, 0), q = (0.5, 1): the error is 1 − 0.5 = 0.5."""
    biases = np.zeros(1, np.float32), np.zeros(1, np.float32)
    p, q = np.array([[1, 0]], np.float32), np.array([[0.5, 1]], np.float32)
    ends, items, targets = np.array([0, 1]), np.array([0]), np.ones(1, np.float32)
    strengths = np.float32(0.2), np.float32(0.4)
    error = sgd_epoch(ends, items, targets, biases, p, q, np.float32(0.1), strengths)
    assert error == pytest.approx(0.25)
    assert [bias[0] for bias in biases] == pytest.approx([0.05, 0.05])
    assert p[0] == pytest.approx([1 + 0.1 * (0.5 * 0.5 - 0.4 * 1), 0.1 * (0.5 * 1)])
    assert q[0] == pytest.approx([0.5 + 0.1 * (0.5 * 1 - 0.4 * 0.5), 1 + 0.1 * (0 - 0.4 * 1)])


@pytest.mark.parametrize(
    ("ours", "theirs"), [("svd", "SVD"), ("svdpp", "SVDpp"), ("pmf", "PMF"), ("nmf", "NMF")]
)
def test_held_out_ratings_are_met_no_worse_than_by_the_surprise_library(ours, theirs, simulated):
    surprise = pytest.importorskip("surprise", reason="scikit-surprise is not installed")
    algorithm = {
        "SVD": surprise.SVD(random_state=0),
        "SVDpp": surprise.SVDpp(random_state=0),
        "PMF": surprise.SVD(biased=False, random_state=0),
        "NMF": surprise.NMF(random_state=0),
    }[theirs]
    train, held = simulated
    frame = [(int(u), int(i), float(r), None) for u, i, r in zip(*train, strict=True)]
    reader = surprise.Reader(rating_scale=(train[2].min(), train[2].max()))
    known = surprise.Dataset(reader).construct_trainset(frame)
    algorithm.fit(known)
    found = [algorithm.predict(int(u), int(i)).est for u, i in zip(*held[:2], strict=True)]
    theirs_rmse = float(np.sqrt(np.mean((np.array(found) - held[2]) ** 2)))
    assert rmse(get(ours)().fit(interactions(train)), held) <= theirs_rmse


def test_planted_factors_are_found_down_to_the_noise(simulated):
    train, held = simulated
    found = rmse(get("svd")(factors=4, regularization=0.03, epochs=60).fit(interactions(train)), held)
    assert NOISE < found < 1.4 * NOISE


def test_the_scale_of_the_ratings_does_not_matter(simulated):
    train, held = simulated
    plain = get("svd")().fit(interactions(train)).predict(*held[:2])
    times = get("svd")().fit(interactions((train[0], train[1], 100 * train[2] - 50))).predict(*held[:2])
    assert times == pytest.approx(100 * plain - 50, abs=0.5)


@pytest.mark.parametrize("length", [3, 20])
def test_a_history_is_folded_in_by_ridge_regression_on_the_items_vectors(length, simulated):
    """The prior as further rows: each number of the user is its mean, give or take its deviation."""
    model = get("svd")(factors=6).fit(interactions(simulated[0]))
    history = model._histories.rows([7])
    history = Interactions(np.array([0, length]), history.items[:length], history.weights[:length], ITEMS)
    items = history.items
    rows = np.column_stack([np.ones(length), model._items[items]]) / np.sqrt(model._noise)
    aims = (history.weights - model._mean - model._item_bias[items]) / np.sqrt(model._noise)
    means, deviations = model._prior
    system = np.vstack([rows, np.diag(1 / deviations)])
    numbers = np.linalg.lstsq(system, np.concatenate([aims, means / deviations]), rcond=None)[0]
    expected = model._mean + numbers[0] + model._item_bias + model._items @ numbers[1:]
    assert model._score(history)[0] == pytest.approx(expected, abs=1e-4)


def test_folding_in_a_known_history_rates_about_as_well_as_training_did(simulated):
    train, held = simulated
    model = get("svd")().fit(interactions(train))
    folded = model._score(model._histories)[held[0], held[1]]
    trained = rmse(model, held)
    assert np.sqrt(np.mean((folded - held[2]) ** 2)) < 1.05 * trained


@pytest.mark.parametrize("name", ["svd", "svdpp", "pmf"])
def test_reasons_add_up_to_the_expected_rating(name, simulated):
    model = get(name)(factors=8).fit(interactions(simulated[0]))
    items, scores = model.recommend([3], 2)
    for item, score in zip(items[0], scores[0], strict=True):
        reasons = model.explain(3, int(item), 10**6)
        assert len(reasons) == len(model._histories.row(3)[0])
        assert sum(share for _, share in reasons) == pytest.approx(float(score), abs=1e-4)


def test_of_an_unknown_user_only_the_item_is_known():
    train = Interactions.from_arrays(
        users=[0, 0, 1, 1, 2], items=[0, 1, 0, 1, 0], weights=[5.0, 1, 5, 2, 4], shape=(3, 3)
    )
    model = get("svd")(factors=2).fit(train)
    both, one, other = model.predict([9, 9, 9], [9, 0, 1])
    assert both == pytest.approx(17 / 5)
    assert one == pytest.approx(model._mean + model._item_bias[0]) and one > both > other
    assert model.recommend([0], 3)[0][0, 2] == -1  # nobody rated the third item


def test_where_all_ratings_are_equal_that_one_is_predicted():
    train = Interactions.from_arrays(users=[0, 0, 1], items=[0, 1, 1], weights=[4.0, 4, 4])
    assert get("svd")().fit(train).predict([0, 1, 7], [0, 0, 0]).tolist() == [4, 4, 4]


def test_progress_is_heard_up_to_the_end(simulated):
    heard = []
    get("svd")(epochs=4).fit(interactions(simulated[0]), progress=heard.append)
    assert heard == sorted(heard) and len(heard) == 5 and heard[-1] == 1


def test_too_big_a_model_is_refused_beforehand(simulated):
    model = get("svd")(factors=10**6)
    model.memory_limit_mib = 64
    with pytest.raises(NotEnoughMemoryError, match="svd on 4,000 interactions"):
        model.fit(interactions(simulated[0]))


def test_a_descent_that_diverges_says_so(simulated):
    with pytest.raises(ValueError, match="smaller learning_rate"):
        get("svd")(learning_rate=50.0).fit(interactions(simulated[0]))


@pytest.mark.parametrize(
    "wrong", [{"factors": 0}, {"epochs": 0}, {"learning_rate": 0.0}, {"regularization": -1.0},
              {"bias_regularization": -1.0}],
)  # fmt: skip
def test_senseless_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        get("svd")(**wrong)
