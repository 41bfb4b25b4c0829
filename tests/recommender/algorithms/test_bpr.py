"""The vectors are those of `implicit`; the fold-in is checked against its least-squares sum, pair by pair."""

import numpy as np
import pytest
from implicit.cpu.bpr import BayesianPersonalizedRanking

from recommender.algorithms import Interactions, get


@pytest.fixture
def data():
    random = np.random.default_rng(5)
    users, items = random.integers(0, 300, 5_000), (random.pareto(1.0, 5_000) * 20).astype(int) % 90
    return Interactions.from_arrays(users=users, items=items, shape=(300, 92))  # nobody took the last two


def test_item_vectors_are_those_of_the_library_but_for_their_mean(data):
    model = get("bpr")(factors=8, iterations=5).fit(data)
    peer = BayesianPersonalizedRanking(
        factors=8, learning_rate=0.01, regularization=0.03, iterations=5, num_threads=1, random_state=0
    )
    peer.fit(data.matrix, show_progress=False)
    found = peer.item_factors[:90] - peer.item_factors[:90].mean(axis=0, dtype=np.float64)
    assert np.allclose(model._vectors[:90], found[:, :8], atol=1e-6)
    assert np.allclose(model._biases[:90], found[:, 8], atol=1e-6)


def test_the_fold_in_asks_for_one_above_every_item_of_the_catalog(data):
    model = get("bpr")(factors=4, fold_in=0.5).fit(data)
    vectors, biases = model._vectors[:90].astype(np.float64), model._biases[:90].astype(np.float64)
    items, weights = data.row(3)
    rows, goals = [], []
    for item, weight in zip(items, weights / weights.sum(), strict=True):
        for other in range(90):
            share = np.sqrt(weight / 90)
            rows.append(share * (vectors[item] - vectors[other]))
            goals.append(share * (1 - biases[item] + biases[other]))
    strength = 0.5 * (vectors**2).sum() / 90 / 4
    rows.extend(np.sqrt(strength) * np.eye(4))
    goals.extend([0.0] * 4)
    vector = np.linalg.lstsq(np.array(rows), np.array(goals), rcond=None)[0]
    found, scores = model.recommend([3], 90)
    assert scores[0] == pytest.approx((vectors @ vector + biases)[found[0]], abs=1e-5)


def test_what_nobody_took_is_not_ranked(data):
    found, _ = get("bpr")(factors=4, iterations=3).fit(data).recommend([0], 92)
    assert not {90, 91} & set(found[0].tolist()) and (found[0, 90:] == -1).all()


def test_it_learns_whose_items_are_whose():
    """Two halves of a shop: each user took some of their own half, and has to be given the rest of it."""
    random = np.random.default_rng(1)
    users = np.repeat(np.arange(120), 12)
    items = random.integers(0, 30, len(users)) + 30 * (users % 2)
    data = Interactions.from_arrays(users=users, items=items, shape=(120, 60))
    found, _ = get("bpr")(factors=8).fit(data).recommend(np.arange(120), 10, exclude=data)
    assert (found // 30 == np.arange(120)[:, None] % 2).mean() > 0.99


def test_the_finished_share_is_told(data):
    heard = []
    get("bpr")(factors=4, iterations=4).fit(data, progress=heard.append)
    assert heard == [0.25, 0.5, 0.75, 1.0, 1.0]


@pytest.mark.parametrize("wrong", [{"factors": 0}, {"iterations": 0}, {"learning_rate": 0}, {"fold_in": 0}])
def test_senseless_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="positive"):
        get("bpr")(**wrong)
