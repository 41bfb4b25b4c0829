"""Numbers worked out by hand."""

import numpy as np
import pytest

from recommender.algorithms import get
from recommender.evaluation import (
    Log,
    evaluate,
    leave_last_out,
    mean_interval,
    paired_bootstrap,
    ratio_split,
    time_split,
)


def a_log(users, items, times, shape=None):
    users, items = np.array(users), np.array(items)
    weights = np.ones(len(users), np.float32)
    return Log(users, items, weights, np.array(times), shape or (users.max() + 1, items.max() + 1))


def pairs(data):
    return [(user, item) for user in range(data.n_users) for item in data.row(user)[0].tolist()]


def test_the_time_split_never_looks_ahead():
    log = a_log([0, 1, 0, 1, 0, 1, 0, 1, 0, 1], [0, 1, 1, 0, 2, 2, 3, 3, 0, 4], range(10))
    split = time_split(log, test_share=0.3)
    assert pairs(split.train) == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2)]
    assert pairs(split.test) == [(1, 3), (1, 4)]  # item 0 of user 0 is no news
    assert split.users.tolist() == [1]
    assert pairs(time_split(log, test_share=0.3, new_only=False).test) == [(0, 0), (1, 3), (1, 4)]


def test_leave_last_out_holds_the_last_event_of_each():
    log = a_log([0, 0, 1, 1, 2], [0, 1, 2, 3, 4], [5, 1, 1, 1, 9])
    split = leave_last_out(log)
    assert pairs(split.test) == [(0, 0), (1, 3), (2, 4)]
    assert pairs(split.train) == [(0, 1), (1, 2)]
    assert split.users.tolist() == [0, 1]


def test_the_ratio_split_takes_the_share_of_each_user():
    log = a_log(np.repeat([0, 1], [10, 5]), [*range(10), *range(5)], range(15))
    split = ratio_split(log, test_share=0.2, seed=1)
    assert np.diff(split.test.indptr).tolist() == [2, 1]
    assert len(pairs(split.train)) == 12
    assert pairs(ratio_split(log, seed=1).test) == pairs(split.test)


def test_a_model_is_judged_on_new_items_only():
    log = a_log([0, 0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 0, 1, 2, 0, 1], [1, 2, 9, 1, 2, 9, 1, 2], (3, 4))
    split = time_split(log, test_share=0.2)
    found = evaluate(get("item_knn")().fit(split.train), split, k=2)
    assert found.users.tolist() == [0, 1]
    # item 2 was never seen in training, so no list can hold it
    values = {name: estimate.value for name, estimate in found.metrics.items()}
    assert values == dict.fromkeys(
        ["ndcg", "recall", "precision", "map", "mrr", "hit_rate", "coverage"], 0.0
    )  # empty lists have no novelty and no diversity
    nobody = time_split(a_log([0, 1], [0, 1], [1, 2]))
    assert evaluate(get("popular")().fit(nobody.train), nobody) is None


def test_the_interval_of_a_mean_is_about_two_standard_errors():
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    found = mean_interval(values, seed=1)
    error = values.std(ddof=1) / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=error / 4)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=error / 4)
    assert mean_interval(values, seed=1) == found
    assert mean_interval(np.zeros(0)) is None
    assert mean_interval(np.array([0.3])).low is None


def test_pairing_sees_a_small_difference_between_very_different_users():
    random = np.random.default_rng(0)
    hard = random.uniform(0, 1, 300)
    better = hard + random.normal(0.01, 0.02, 300)
    found = paired_bootstrap(better, hard)
    assert found.is_above_zero and found.low < 0.01 < found.high
    assert not paired_bootstrap(hard, better).is_above_zero
    same = paired_bootstrap(hard, hard)
    assert (same.difference, same.is_above_zero) == (0.0, False)
    with pytest.raises(ValueError):
        paired_bootstrap(hard, better[:-1])


def test_two_equal_models_are_rarely_told_apart():
    """A/A: of 200 pairs of equally good lists at most a few may look different from zero upwards (2.5
    %).
    """
    random = np.random.default_rng(11)
    wins = sum(
        paired_bootstrap(*random.uniform(0, 1, (2, 200)), resamples=400, seed=at).is_above_zero
        for at in range(200)
    )
    assert wins <= 10
