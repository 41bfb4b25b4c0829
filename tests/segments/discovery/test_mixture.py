"""Mixtures whose truth is known; the criterion by its formula with SciPy's density."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from personalization.segments.discovery.groups import find_groups
from personalization.segments.discovery.mixture import LEAST_VARIANCE, find_mixture

SHARES = (0.5, 0.3, 0.2)
CENTERS = np.array([[0.0, 0.0], [0.0, 2.5], [4.0, -1.0]])
# Two long ones side by side, which k-means cuts across, and a small round one.
SPREADS = np.array([[[4.0, 0.0], [0.0, 0.1]], [[4.0, 1.0], [1.0, 0.5]], [[0.1, 0.0], [0.0, 0.1]]])


@pytest.fixture(scope="module")
def drawn():
    draw = np.random.default_rng(3)
    truth = np.repeat([0, 1, 2], [1_000, 600, 400])
    table = np.array([draw.multivariate_normal(CENTERS[at], SPREADS[at]) for at in truth])
    return table, truth


@pytest.fixture(scope="module")
def found(drawn):
    return find_mixture(drawn[0])


def test_number_shares_centers_and_spreads_are_those_of_the_truth(drawn, found):
    assert found.number == 3
    order = np.argsort(-found.fitted.weights_)
    assert found.fitted.weights_[order] == pytest.approx(SHARES, abs=0.03)
    assert found.fitted.means_[order] == pytest.approx(CENTERS, abs=0.2)
    assert found.fitted.covariances_[order] == pytest.approx(SPREADS, abs=0.4)


def test_it_tells_long_groups_that_k_means_cuts_to_pieces(drawn, found):
    table, truth = drawn
    assert _agreement(found.labels, truth) > 0.95
    round_ones = find_groups(table)
    assert round_ones.centers is None or _agreement(round_ones.labels, truth) < 0.9


def _agreement(labels, truth):
    return sum(np.bincount(truth[labels == label]).max() for label in set(labels.tolist())) / len(truth)


def test_the_criterion_is_bic_and_the_parameters_stay_where_they_are_in_another_step_of_em(drawn, found):
    table, _truth = drawn
    model = found.to_json()
    parts = np.column_stack([
        share * multivariate_normal(mean, spread).pdf(table)
        for share, mean, spread in zip(model["weights"], model["means"], model["covariances"], strict=True)
    ])  # fmt: skip
    free = 2 + 3 * 2 + 3 * 3  # shares that sum to one, centers, symmetric spreads
    bic = -2 * np.log(parts.sum(axis=1)).sum() + free * np.log(len(table))
    assert (model["form"], found.tried[2].groups) == ("full", 3)
    assert found.tried[2].bic == pytest.approx(bic, abs=0.1)
    assert min(found.tried, key=lambda one: one.bic).groups == 3

    chances = parts / parts.sum(axis=1, keepdims=True)
    assert found.tried[2].sure == pytest.approx(chances.max(axis=1).mean(), abs=1e-3)
    assert (found.labels == chances.argmax(axis=1)).all()
    for at in range(3):
        weight = chances[:, at]
        mean = weight @ table / weight.sum()
        spread = (weight[:, None] * (table - mean)).T @ (table - mean) / weight.sum()
        assert weight.mean() == pytest.approx(model["weights"][at], abs=0.005)
        assert mean == pytest.approx(model["means"][at], abs=0.02)
        assert spread + LEAST_VARIANCE * np.eye(2) == pytest.approx(
            np.array(model["covariances"][at]), abs=0.05
        )


@pytest.mark.parametrize("stretched", [[1, 1, 1, 1], [6, 1, 1, 1]])
def test_one_bell_is_no_groups(stretched):
    table = np.random.default_rng(1).normal(size=(600, 4)) * stretched
    found = find_mixture(table)
    assert (found.number, len(found.tried)) == (0, 8)


def test_columns_in_which_most_are_equal_break_nothing():
    draw = np.random.default_rng(2)
    table = np.column_stack(
        [np.where(draw.random(400) < 0.7, 0.0, draw.normal(3, 1, 400)), draw.normal(size=400)]
    )
    found = find_mixture(table)
    assert found.number >= 2
    assert all(np.isfinite(one.bic) for one in found.tried)


def test_a_few_customers_are_refused():
    with pytest.raises(ValueError, match="200"):
        find_mixture(np.zeros((199, 2)))
