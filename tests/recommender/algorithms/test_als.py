"""Against the normal equations, solved densely in double precision."""

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares

from recommender.algorithms import ArtifactError, Interactions, get, load
from recommender.algorithms import als as als_module


@pytest.fixture
def data():
    random = np.random.default_rng(5)
    users, items = random.integers(0, 300, 5_000), (random.pareto(1.0, 5_000) * 20).astype(int) % 90
    return Interactions.from_arrays(users=users, items=items, shape=(300, 90))


def dense(data):
    return data.matrix.toarray().astype(np.float64)


def test_it_folds_in_by_the_normal_equations(data):
    """The user vector solves (YᵀCY + λI) x = YᵀC 1, with λ as documented."""
    model = get("als")(factors=8, alpha=3.0, regularization=0.5).fit(data)
    y = model._items.astype(np.float64)
    confidences = 1 + 3.0 * dense(data)[4]
    has = dense(data)[4] > 0
    strength = 0.5 * np.sqrt(90 + 3.0 * dense(data)[4].sum())
    step = np.log(1.2)
    strength = np.exp(np.rint(np.log(strength) / step) * step)
    system = y.T @ y + (y[has].T * (confidences[has] - 1)) @ y[has] + strength * np.eye(8)
    vector = np.linalg.solve(system, y[has].T @ confidences[has])
    items, scores = model.recommend([4], 5)
    assert np.allclose(scores[0], y[items[0]] @ vector, atol=1e-5)


def test_it_lowers_its_own_loss(data):
    def loss(model):
        x, y, strengths = model._users(data), model._exact, model._strengths(model._confidences(data))
        confidences = np.where(dense(data) > 0, 1 + model.alpha * dense(data), 1.0)
        columns = model._strengths(model._confidences(data).T.tocsr())
        errors = confidences * ((dense(data) > 0) - x @ y.T) ** 2
        return errors.sum() + strengths @ (x**2).sum(axis=1) + columns @ (y**2).sum(axis=1)

    losses = [loss(get("als")(factors=8, iterations=n).fit(data)) for n in (1, 3, 15)]
    assert losses[0] > losses[1] > losses[2]


def test_with_one_strength_for_all_it_is_the_library(data, monkeypatch):
    """The half step is implicit's: the same vectors from the same seed."""
    monkeypatch.setattr(als_module, "FREQUENCY_EXPONENT", 0.0)
    model = get("als")(factors=8, regularization=2.0, alpha=3.0, iterations=12).fit(data)
    (strength,) = np.unique(model._strengths(model._confidences(data)))
    peer = AlternatingLeastSquares(
        factors=8, regularization=strength, iterations=12, random_state=0, num_threads=1
    )
    matrix = data.matrix.copy()
    matrix.data = 1 + np.float32(3.0) * matrix.data
    peer.fit(matrix, show_progress=False)
    # Both round to single precision from an ill-conditioned start.
    assert np.allclose(model._items, peer.item_factors, atol=1e-3)


def test_reasons_add_up_to_the_score(data):
    model = get("als")(factors=16).fit(data)
    items, scores = model.recommend([9], 5)
    for item, score in zip(items[0], scores[0], strict=True):
        assert sum(share for _, share in model.explain(9, int(item), 90)) == pytest.approx(score, abs=1e-5)


def test_a_model_of_another_exponent_is_refused(data, tmp_path, monkeypatch):
    get("als")(factors=4, iterations=1).fit(data).save(tmp_path / "model.npz")
    monkeypatch.setattr(als_module, "FREQUENCY_EXPONENT", 1.0)
    with pytest.raises(ArtifactError, match="exponent"):
        load(tmp_path / "model.npz")


@pytest.mark.parametrize("wrong", [{"factors": 0}, {"iterations": 0}, {"regularization": 0}, {"alpha": -1}])
def test_senseless_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="positive"):
        get("als")(**wrong)


@pytest.mark.parametrize("factors", [4, 64])
def test_few_users_are_solved_as_the_library_solves_many(data, monkeypatch, factors):
    model = get("als")(factors=factors, iterations=2).fit(data)
    rows = data.rows(np.arange(8))
    few = model._users(rows)
    monkeypatch.setattr(als_module, "FEW_USERS", 0)
    np.testing.assert_allclose(few, model._users(rows), rtol=1e-6, atol=1e-9)
    assert len(model._inverses) <= 8
