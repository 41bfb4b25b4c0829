"""The baseline of ratings, by hand and against the Surprise library."""

import numpy as np
import pytest

from recommender.algorithms import Interactions
from recommender.algorithms._baseline import Baseline, learn_baseline
from tests.recommender.algorithms.surprise_peer import trainset_of


@pytest.fixture
def ratings():
    random = np.random.default_rng(2)
    pairs = random.permutation(30 * 12)[:150]
    return Interactions.from_arrays(
        users=pairs // 12, items=pairs % 12, weights=random.integers(1, 6, 150), shape=(30, 12)
    )


def test_one_epoch_by_hand():
    """Mean 3; item 0: (5 − 3 + 4 − 3) / (10 + 2); user 0: (5 − 3 − .25 + 0 − 3 …) and so on."""
    two = Interactions.from_arrays(users=[0, 0, 1], items=[0, 1, 0], weights=[5.0, 0.0, 4.0])
    found = learn_baseline(two, epochs=1)
    assert found.mean == 3.0
    assert found.items == pytest.approx([3 / 12, -3 / 11])
    assert found.users == pytest.approx([(2 - 3 / 12 - 3 + 3 / 11) / 17, (1 - 3 / 12) / 16])
    assert found.rate(np.array([0, 9]), np.array([0, 0])) == pytest.approx([3.25 + found.users[0], 3.25])


def test_it_equals_surprise(ratings):
    surprise = pytest.importorskip("surprise")
    theirs = surprise.BaselineOnly(verbose=False)
    theirs.fit(trainset_of(surprise, ratings))
    ours = learn_baseline(ratings)
    assert np.allclose(ours.users, theirs.bu) and np.allclose(ours.items, theirs.bi)


def test_a_known_history_folds_in_to_what_was_learned(ratings):
    found = learn_baseline(ratings)
    assert np.allclose(found.of_histories(ratings), found.users)
    rows = np.repeat(np.arange(30), np.diff(ratings.indptr))
    assert np.allclose(found.residuals(ratings), ratings.weights - found.rate(rows, ratings.items))


def test_it_survives_saving_and_emptiness(ratings):
    found = learn_baseline(ratings)
    again = Baseline.restored(found.arrays())
    assert again.mean == found.mean and np.array_equal(again.items, found.items)
    empty = learn_baseline(Interactions.from_arrays(users=np.zeros(0, int), items=np.zeros(0, int)))
    assert empty.rate(np.array([0]), np.array([0])) == [0.0]
