"""What is particular to one algorithm, against formulas written down another way."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, get


@pytest.fixture
def data():
    random = np.random.default_rng(5)
    users, items = random.integers(0, 300, 5_000), (random.pareto(1.0, 5_000) * 20).astype(int) % 90
    return Interactions.from_arrays(users=users, items=items, shape=(300, 90))


def dense(data):
    return data.matrix.toarray().astype(np.float64)


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


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("item_knn", {"neighbors": 0}), ("item_knn", {"shrinkage": -1.0})],
)
def test_senseless_parameters_are_refused(name, wrong):
    with pytest.raises(ValueError):
        get(name)(**wrong)
