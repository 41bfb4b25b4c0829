import numpy as np
import pytest

from recommender.algorithms import Interactions, get, load
from recommender.algorithms._gibbs import draw_prior, draw_wishart
from recommender.algorithms._gibbs_kernels import draw_rows

USERS, ITEMS, NOISE = 200, 100, 0.5


@pytest.fixture(scope="module")
def simulated():
    """Data from the model itself: two factors, noise of 0.5; the fit, and 2,000 held out ratings."""
    random = np.random.default_rng(8)
    users, items = np.divmod(random.permutation(USERS * ITEMS)[:8000], ITEMS)
    taste, nature = random.normal(size=(USERS, 2)), random.normal(size=(ITEMS, 2))
    ratings = 3 + (taste[users] * nature[items]).sum(axis=1) + random.normal(0, NOISE, len(users))
    held = np.arange(len(users)) % 4 == 0
    data = Interactions.from_arrays(
        users=users[~held], items=items[~held], weights=ratings[~held], shape=(USERS + 1, ITEMS + 1)
    )
    return data, get("bpmf")(factors=4, samples=60).fit(data), (users[held], items[held], ratings[held])


def test_a_row_is_drawn_around_the_ridge_solution():
    """Zeros instead of normals give the mean: (Λ + α QᵀQ)⁻¹ (Λμ + α Qᵀr); the spread is that inverse."""
    random = np.random.default_rng(0)
    q, ratings = random.normal(size=(7, 3)).astype(np.float32), random.normal(size=7).astype(np.float32)
    precision, mean = np.diag([1.0, 2.0, 3.0]), np.array([0.5, 0.0, -0.5])
    system = precision + 1.7 * q.T @ q
    expected = np.linalg.solve(system, precision @ mean + 1.7 * q.T @ ratings)
    n = 20_000
    ends, columns = np.arange(n + 1) * 7, np.tile(np.arange(7), n)
    rows = np.empty((n, 3), np.float32)
    part = (ends, columns, np.tile(ratings, n), q, 1.7, precision, precision @ mean)
    squares = draw_rows(*part, np.zeros((n, 3)), rows)
    assert rows[0] == pytest.approx(expected, abs=1e-5)
    assert squares == pytest.approx(n * np.sum((ratings - q @ expected) ** 2), rel=1e-4)
    draw_rows(*part, random.standard_normal((n, 3)), rows)
    assert np.cov(rows.T) == pytest.approx(np.linalg.inv(system), abs=0.01)


def test_wishart_draws_have_the_known_mean():
    random, scale = np.random.default_rng(1), np.array([[1.0, 0.3], [0.3, 0.5]])
    mean = np.mean([draw_wishart(random, 9, scale) for _ in range(4000)], axis=0)
    assert mean == pytest.approx(9 * scale, abs=0.15)


def test_the_prior_follows_the_vectors():
    random = np.random.default_rng(2)
    vectors = random.multivariate_normal([1.0, -2.0], [[0.5, 0.2], [0.2, 0.4]], 20_000)
    mean, precision = draw_prior(random, vectors)
    assert mean == pytest.approx([1.0, -2.0], abs=0.03)
    assert np.linalg.inv(precision) == pytest.approx(np.array([[0.5, 0.2], [0.2, 0.4]]), abs=0.03)


def test_the_noise_is_found_with_no_strength_given(simulated):
    _, model, (users, items, ratings) = simulated
    noise = model._unit * np.mean(model._precisions**-0.5)
    assert noise == pytest.approx(NOISE, rel=0.05)
    errors = model.predict(users, items) - ratings
    assert np.sqrt(np.mean(errors**2)) < 1.12 * NOISE


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_intervals_hold_as_many_ratings_as_they_promise(coverage, simulated):
    """2,000 ratings: the standard error of the share is at most 0.011."""
    _, model, (users, items, ratings) = simulated
    low, high = model.predict_interval(users, items, coverage)
    assert np.mean((low <= ratings) & (ratings <= high)) == pytest.approx(coverage, abs=0.03)


def test_who_is_less_known_gets_a_wider_interval(simulated):
    data, model, _ = simulated
    stranger = model.predict_variance(np.full(ITEMS, USERS), np.arange(ITEMS))
    known = model.predict_variance(np.full(ITEMS, 3), np.arange(ITEMS))
    both = model.predict_variance([USERS, 10**6], [ITEMS, 10**6])
    assert (stranger > known).all()
    assert (both > known.mean()).all()
    # A stranger's ratings spread as all ratings do, on the average item.
    assert np.sqrt(stranger.mean()) == pytest.approx(data.weights.std(), rel=0.15)


def test_intervals_stay_within_the_scale_and_hold_the_expected_rating(simulated):
    _, model, (users, items, _) = simulated
    low, high = model.predict_interval(users, items, 0.99)
    middle = model.predict(users, items)
    assert low.min() >= model.lowest and high.max() <= model.highest
    assert (low <= middle).all() and (middle <= high).all()
    for wrong in (0.0, 1.0):
        with pytest.raises(ValueError, match="coverage"):
            model.predict_interval(users, items, wrong)


def test_folding_in_a_known_history_rates_about_as_well_as_training_did(simulated):
    _, model, (users, items, ratings) = simulated
    folded = model._score(model._histories)[users, items]
    assert np.sqrt(np.mean((folded - ratings) ** 2)) < 1.12 * NOISE


def test_reasons_add_up_to_the_expected_rating(simulated):
    _, model, _ = simulated
    items, scores = model.recommend([5], 2)
    for item, score in zip(items[0], scores[0], strict=True):
        shares = [share for _, share in model.explain(5, int(item), 10**6)]
        assert len(shares) == len(model._histories.row(5)[0])
        assert sum(shares) == pytest.approx(float(score), abs=1e-4)


def test_equal_ratings_leave_no_doubt():
    model = get("bpmf")(samples=2).fit(Interactions.from_arrays(users=[0, 1], items=[0, 1], weights=[3.0, 3]))
    assert model.predict_variance([0], [1]).tolist() == [0]
    assert [bound.tolist() for bound in model.predict_interval([0], [1])] == [[3], [3]]


def test_what_was_saved_is_as_sure_as_before(simulated, tmp_path):
    _, model, (users, items, _) = simulated
    model.save(tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    for before, after in zip(
        model.predict_interval(users, items), again.predict_interval(users, items), strict=True
    ):
        assert np.array_equal(before, after)


@pytest.mark.parametrize("wrong", [{"factors": 0}, {"samples": 0}, {"burn_in": -1}])
def test_senseless_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="positive"):
        get("bpmf")(**wrong)
