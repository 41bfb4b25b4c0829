import numpy as np
import pytest

from recommender.algorithms._ratings import RatingRecommender
from recommender.evaluation import (
    Log,
    compare_rmse,
    evaluate_ratings,
    held_split,
    k_folds,
    merge_rating_folds,
)
from recommender.evaluation.ratings import rmse


class Constant(RatingRecommender):
    """Predicts one number."""

    name = "constant"

    def __init__(self, *, rating=3.0):
        self.rating = rating

    def _learn(self, interactions, training):
        self._note_scale(interactions)

    def _predict(self, users, items):
        return np.full(len(users), self.rating)

    def _score(self, histories):
        return np.zeros((histories.n_users, self.n_items), np.float32)

    def _arrays(self):
        return {}

    def _restore(self, arrays):
        return


def a_log(n_users=40, n_items=30, n=600, seed=0):
    random = np.random.default_rng(seed)
    pairs = random.choice(n_users * n_items, n, replace=False)
    stars = random.integers(1, 6, n).astype(np.float32)
    return Log(pairs // n_items, pairs % n_items, stars, np.arange(n), (n_users, n_items))


def test_errors_are_as_by_hand():
    log = Log(
        np.array([0, 0, 1, 1]),
        np.array([0, 1, 0, 1]),
        np.array([1, 5, 4, 2], np.float32),
        np.arange(4),
        (2, 2),
    )
    split = held_split("by hand", log, np.array([False, False, True, True]))
    found = evaluate_ratings(Constant(rating=3.5).fit(split.input_for(is_explicit=True)), split)
    # 3.5 against 4 and 2
    assert found.metrics["rmse"].value == pytest.approx(np.sqrt((0.25 + 2.25) / 2))
    assert found.metrics["mae"].value == pytest.approx(1.0)
    assert found.metrics["rmse"].low is None  # one user


def test_a_model_of_ratings_sees_them_as_they_are():
    split = k_folds(a_log(), n=5)[0]
    assert set(np.unique(split.input_for(is_explicit=True).weights)) == {1, 2, 3, 4, 5}
    assert split.input_for(is_explicit=False).weights.max() < 3


def test_folds_are_averaged_and_users_resampled_across_them():
    splits = k_folds(a_log(), n=5, seed=0)
    folds = [evaluate_ratings(Constant().fit(split.input_for(is_explicit=True)), split) for split in splits]
    found = merge_rating_folds(folds)
    assert found.metrics["rmse"].value == pytest.approx(
        np.mean([fold.metrics["rmse"].value for fold in folds])
    )
    assert found.metrics["rmse"].low < found.metrics["rmse"].value < found.metrics["rmse"].high
    assert found.counts.sum() == 600
    assert rmse(np.array([[4.0], [0.0]]), np.array([[1.0], [1.0]])) == 1.0


def test_two_models_are_compared_on_the_same_ratings():
    splits = k_folds(a_log(), n=5, seed=0)
    by_model = []
    for rating in (3.0, 1.0):
        folds = [
            evaluate_ratings(Constant(rating=rating).fit(split.input_for(is_explicit=True)), split)
            for split in splits
        ]
        by_model.append(merge_rating_folds(folds))
    found = compare_rmse(*by_model)
    assert found.high < 0 and found.n_users == 40
    with pytest.raises(ValueError, match="same ratings"):
        compare_rmse(by_model[0], folds[0])


def test_the_folds_are_those_of_surprise():
    surprise = pytest.importorskip("surprise")
    log = a_log()
    frame = [
        (str(u), str(i), float(r), None) for u, i, r in zip(log.users, log.items, log.weights, strict=True)
    ]
    theirs = surprise.model_selection.KFold(n_splits=7, random_state=3)
    holder = type("Data", (), {"raw_ratings": frame, "construct_trainset": lambda self, raw: raw,
                               "construct_testset": lambda self, raw: raw})()  # fmt: skip
    for (_, test), split in zip(theirs.split(holder), k_folds(log, n=7, seed=3), strict=True):
        ours = {(str(u), str(i)) for u, i in zip(split.test_log.users, split.test_log.items, strict=True)}
        assert ours == {(user, item) for user, item, *_ in test}


def test_the_folds_are_those_of_numpys_legacy_shuffle():
    """Worked out apart: RandomState(0).shuffle(arange(10)) is 2 8 4 9 1 6 7 3 0 5."""
    log = Log(np.zeros(10, int), np.arange(10), np.ones(10, np.float32), np.arange(10), (1, 10))
    held = [sorted(split.test_log.items.tolist()) for split in k_folds(log, n=3, seed=0)]
    assert held == [[2, 4, 8, 9], [1, 6, 7], [0, 3, 5]]
    with pytest.raises(ValueError, match="folds"):
        k_folds(log, n=11)
