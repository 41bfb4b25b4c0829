"""Withholding items altogether, and what a model has to beat on them."""

import numpy as np
import pytest

from recommender.algorithms import get
from recommender.evaluation import Log
from recommender.evaluation.cold_start import cold_start_split, compare_cold, evaluate_cold


def log_of(pairs, shape):
    users, items = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    return Log(users, items, np.ones(len(users), np.float32), np.arange(len(users)), shape)


@pytest.fixture
def log():
    random = np.random.default_rng(0)
    pairs = list(zip(random.integers(0, 40, 400).tolist(), random.integers(0, 20, 400).tolist(), strict=True))
    return log_of(pairs, (41, 25))


def test_withheld_items_are_in_no_history_and_all_of_their_events_are_to_be_found(log):
    cold = cold_start_split(log, item_share=0.25, seed=1)
    assert len(cold.items) == 5 and cold.items.max() < 20  # a quarter of the 20 that were ever taken
    assert not np.isin(cold.split.train.items, cold.items).any()
    assert np.isin(cold.split.test.items, cold.items).all()
    pairs = len(set(zip(log.users.tolist(), log.items.tolist(), strict=True)))
    assert len(cold.split.train.items) + len(cold.split.test.items) == pairs
    again, other = cold_start_split(log, item_share=0.25, seed=1), cold_start_split(log, seed=2)
    assert np.array_equal(cold.items, again.items) and not np.array_equal(cold.items, other.items)


def test_only_withheld_items_are_listed(log):
    cold = cold_start_split(log, item_share=0.25)
    everything = evaluate_cold(get("popular")().fit(cold.split.train), cold, k=5)
    assert everything.metrics["recall"].value == 0  # nobody took them: popularity is silent


def test_baselines_are_chance_and_hindsight():
    # Items 2 and 3 are new to everyone once withheld; all of the ten users took 3, one took 2.
    pairs = [(user, 0) for user in range(10)] + [(user, 3) for user in range(10)] + [(0, 2)]
    log = log_of(pairs, (10, 4))
    seed = next(
        s for s in range(100) if cold_start_split(log, item_share=0.67, seed=s).items.tolist() == [2, 3]
    )
    cold = cold_start_split(log, item_share=0.67, seed=seed)
    report = compare_cold({"popular fitted": get("popular")().fit(cold.split.train)}, cold, k=1)
    recall = {name: found.metrics["recall"].value for name, found in report.evaluations.items()}
    assert recall["popular in hindsight"] == pytest.approx((9 + 0.5) / 10)
    assert 0 < recall["random"] < 0.95 and recall["popular"] == recall["popular fitted"] == 0
    assert report.differences["popular fitted"]["popular"].difference == 0
    assert report.n_items == 2


def test_nobody_to_judge_is_said_and_a_senseless_share_refused(log):
    empty = log.only(np.zeros(len(log), dtype=bool))
    cold = cold_start_split(empty)
    assert compare_cold({}, cold) is None
    assert evaluate_cold(get("popular")().fit(cold.split.train), cold) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        cold_start_split(log, item_share=1.0)
