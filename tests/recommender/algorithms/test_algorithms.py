"""What is particular to one algorithm, against formulas written down another way."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, NotEnoughMemoryError, get


@pytest.fixture
def data():
    random = np.random.default_rng(5)
    users, items = random.integers(0, 300, 5_000), (random.pareto(1.0, 5_000) * 20).astype(int) % 90
    return Interactions.from_arrays(users=users, items=items, shape=(300, 90))


def dense(data):
    return data.matrix.toarray().astype(np.float64)


def test_ease_equals_its_closed_form(data):
    x = dense(data)
    inverse = np.linalg.inv(x.T @ x + 50.0 * np.eye(90))
    weights = np.eye(90) - inverse / np.diag(inverse)
    items, scores = get("ease")(regularization=50.0).fit(data).recommend(np.arange(300), 90)
    expected = np.take_along_axis(x @ weights, items, axis=1)
    assert np.abs(scores - expected).max() < 1e-4


def test_ease_names_the_memory_it_would_need():
    many = Interactions.from_arrays(users=[0], items=[0], shape=(1, 10_000))
    with pytest.raises(
        NotEnoughMemoryError, match=r"10,000 items needs 572 MiB of memory, 100 MiB may be used"
    ):
        get("ease")(memory_limit_mib=100).fit(many)


def test_item_knn_is_the_shrunken_cosine_of_the_columns(data):
    x = dense(data)
    norms = np.linalg.norm(x, axis=0)
    similar = (x.T @ x) / (norms[:, None] * norms + 20.0)
    np.fill_diagonal(similar, 0)
    items, scores = get("item_knn")(neighbors=90).fit(data).recommend([0, 1, 2], 5)
    expected = np.take_along_axis(x[:3] @ similar, items, axis=1)
    assert np.allclose(scores, expected, rtol=1e-5)


def test_item_knn_listens_to_the_nearest_neighbors_only(data):
    model = get("item_knn")(neighbors=3).fit(data)
    speakers = [item for item in range(90) if model.explain([item], 0, 1)[0][1] > 0]
    assert len(speakers) == 3


def test_als_folds_in_by_the_normal_equations(data):
    """The user vector solves (YᵀCY + λI) x = YᵀC 1, with λ as documented."""
    model = get("als")(factors=8, alpha=3.0, regularization=0.05).fit(data)
    y = model._items.astype(np.float64)
    confidences = 1 + 3.0 * dense(data)[4]
    has = dense(data)[4] > 0
    strength = 0.05 * (90 + 3.0 * dense(data)[4].sum())
    step = np.log(1.2)
    strength = np.exp(np.rint(np.log(strength) / step) * step)
    system = y.T @ y + (y[has].T * (confidences[has] - 1)) @ y[has] + strength * np.eye(8)
    vector = np.linalg.solve(system, y[has].T @ confidences[has])
    items, scores = model.recommend([4], 5)
    assert np.allclose(scores[0], y[items[0]] @ vector, atol=1e-5)


def test_als_lowers_its_own_loss(data):
    def loss(model):
        x, y, strengths = model._users(data), model._exact, model._strengths(model._confidences(data))
        confidences = np.where(dense(data) > 0, 1 + model.alpha * dense(data), 1.0)
        columns = model._strengths(model._confidences(data).T.tocsr())
        errors = confidences * ((dense(data) > 0) - x @ y.T) ** 2
        return errors.sum() + strengths @ (x**2).sum(axis=1) + columns @ (y**2).sum(axis=1)

    losses = [loss(get("als")(factors=8, iterations=n).fit(data)) for n in (1, 3, 15)]
    assert losses[0] > losses[1] > losses[2]


def test_popular_is_the_order_of_weights():
    data = Interactions.from_arrays(
        users=[0, 1, 2, 0], items=[2, 2, 0, 1], weights=[1, 1, 1, 5.0], shape=(3, 4)
    )
    items, scores = get("popular")().fit(data).recommend([0], 4)
    assert items.tolist() == [[1, 2, 0, -1]]
    assert scores[0, :3].tolist() == [5.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("als", {"factors": 0}), ("ease", {"regularization": 0}), ("item_knn", {"neighbors": 0})],
)
def test_senseless_parameters_are_refused(name, wrong):
    with pytest.raises(ValueError):
        get(name)(**wrong)
