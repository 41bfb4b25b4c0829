import numpy as np
import pytest

from recommender.algorithms import Interactions, get
from recommender.algorithms._sgd_kernels import sgd_epoch


@pytest.fixture(scope="module")
def ratings():
    random = np.random.default_rng(1)
    users, items = np.divmod(random.permutation(120 * 60)[:3500], 60)
    taste, nature = random.normal(size=(120, 2)), random.normal(size=(60, 2))
    return users, items, 3 + (taste[users] * nature[items]).sum(axis=1) + random.normal(0, 0.3, 3500)


def test_there_are_no_biases(ratings):
    users, items, values = ratings
    model = get("pmf")(factors=4).fit(Interactions.from_arrays(users=users, items=items, weights=values))
    assert not model._user_bias.any() and not model._item_bias.any()
    assert model._prior[1][0] == 0
    assert "bias_regularization" not in model.parameters


def test_the_descent_ends_where_the_gradient_of_the_posterior_is_zero(ratings):
    """Per user: Σ error × q = regularization × n × p, the condition of the maximum a posteriori."""
    users, items, values = ratings
    data = Interactions.from_arrays(users=users, items=items, weights=(values - values.mean()) / values.std())
    random, strengths = np.random.default_rng(0), (np.float32(-1), np.float32(0.1))
    p, q = (random.normal(0, 0.1, (n, 3)).astype(np.float32) for n in data.shape)
    biases = tuple(np.zeros(n, np.float32) for n in data.shape)
    for epoch in range(400):
        rate = np.float32(0.02 * (1 - epoch / 400))
        sgd_epoch(data.indptr, data.items, data.weights, biases, p, q, rate, strengths)
    rows = np.repeat(np.arange(120), np.diff(data.indptr))
    errors = data.weights - (p[rows] * q[data.items]).sum(axis=1)
    for user in (0, 50, 119):
        own = rows == user
        gradient = errors[own] @ q[data.items[own]] - 0.1 * own.sum() * p[user]
        assert np.abs(gradient).max() < 0.02 * own.sum()


def test_planted_factors_are_found_down_to_the_noise(ratings):
    users, items, values = ratings
    held = np.arange(len(users)) % 5 == 0
    data = Interactions.from_arrays(users=users[~held], items=items[~held], weights=values[~held])
    model = get("pmf")(factors=4, regularization=0.02, epochs=60).fit(data)
    errors = model.predict(users[held], items[held]) - values[held]
    assert 0.3 < np.sqrt(np.mean(errors**2)) < 0.45
