"""Against the closed form as it is usually written down, with `numpy.linalg.inv` in double precision."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, NotEnoughMemoryError, get


@pytest.fixture
def data():
    random = np.random.default_rng(5)
    users, items = random.integers(0, 300, 5_000), (random.pareto(1.0, 5_000) * 20).astype(int) % 90
    return Interactions.from_arrays(users=users, items=items, shape=(300, 90))


def closed_form(data, strength):
    x = data.matrix.toarray().astype(np.float64)
    inverse = np.linalg.inv(x.T @ x + strength * np.eye(90))
    return x, np.eye(90) - inverse / np.diag(inverse)


def test_scores_equal_the_closed_form(data):
    x, weights = closed_form(data, 50.0)
    items, scores = get("ease")(regularization=50.0).fit(data).recommend(np.arange(300), 90)
    expected = np.take_along_axis(x @ weights, items, axis=1)
    assert np.abs(scores - expected).max() < 1e-4


def test_reasons_are_the_weights_of_the_closed_form(data):
    x, weights = closed_form(data, 50.0)
    reasons = dict(get("ease")(regularization=50.0).fit(data).explain(7, 3, 90))
    expected = {item: x[7, item] * weights[item, 3] for item in data.row(7)[0]}
    assert reasons == pytest.approx(expected, abs=1e-5)


def test_the_memory_it_would_need_is_named_before_it_is_taken():
    many = Interactions.from_arrays(users=[0], items=[0], shape=(1, 10_000))
    with pytest.raises(
        NotEnoughMemoryError,
        match=r"10,000 items needs 572 MiB of memory, 100 MiB may be used; take als or item_knn instead",
    ):
        get("ease")(memory_limit_mib=100).fit(many)


def test_the_need_grows_with_the_square_of_the_items_alone():
    ease = get("ease")()
    assert ease.needed_bytes(10, 10_000, 99) == ease.needed_bytes(10**6, 10_000, 10**8) == 600_000_000
    assert ease.needed_bytes(10, 20_000, 99) == 4 * 600_000_000


def test_a_regularization_is_positive():
    with pytest.raises(ValueError, match="positive"):
        get("ease")(regularization=0)
