"""Numbers worked out by hand: two users, lists of three out of eight items."""

import numpy as np
import pytest

from recommender.algorithms import Interactions
from recommender.evaluation import METRICS, Judged
from recommender.evaluation.metrics import coverage
from recommender.evaluation.ranking import hit_matrix

LISTS = np.array([[0, 1, 2], [3, 4, -1]])
WANTED = Interactions.from_arrays(users=[0, 0, 0, 0, 1], items=[0, 2, 5, 6, 7], shape=(2, 8))
# Item 0 has users 0 and 1, item 1 user 0, item 2 user 2, items 3 and 4 user 3; nobody has 5, 6, 7.
TRAIN = Interactions.from_arrays(users=[0, 1, 0, 2, 3, 3], items=[0, 0, 1, 2, 3, 4], shape=(4, 8))


@pytest.fixture
def judged():
    return Judged(LISTS, hit_matrix(LISTS, WANTED), np.diff(WANTED.indptr), TRAIN)


def test_a_place_is_a_hit_when_its_item_was_wanted(judged):
    assert judged.hits.tolist() == [[True, False, True], [False, False, False]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # found at places 1 and 3: 1 + 1/2; ideal cut at 3 places: 1 + 0.63093 + 0.5
        ("ndcg", [1.5 / 2.13093, 0.0]),
        ("recall", [0.5, 0.0]),
        ("precision", [2 / 3, 0.0]),
        # (1/1 + 2/3) / min(3, 4)
        ("map", [(1 + 2 / 3) / 3, 0.0]),
        ("mrr", [1.0, 0.0]),
        ("hit_rate", [1.0, 0.0]),
        # shares 2/4, 1/4, 1/4 are 1, 2 and 2 bits; then 2 and 2
        ("novelty", [5 / 3, 2.0]),
        # cosine of items 0 and 1 is 1/√2, the other two pairs share nobody; items 3 and 4 have the same user
        ("diversity", [1 - (1 / np.sqrt(2)) / 3, 0.0]),
    ],
)
def test_a_metric_is_as_by_hand(judged, name, expected):
    assert METRICS[name](judged) == pytest.approx(expected, abs=1e-5)


def test_coverage_is_the_share_of_items_in_any_list(judged):
    assert coverage(judged) == 5 / 8


def test_every_metric_is_found_by_name():
    assert set(METRICS) >= {"ndcg", "recall", "precision", "map", "mrr", "hit_rate", "novelty", "diversity"}


def test_the_rank_of_a_later_first_hit():
    hits = np.array([[False, False, True]])
    judged = Judged(np.array([[4, 5, 6]]), hits, np.array([1]), TRAIN)
    assert METRICS["mrr"](judged)[0] == pytest.approx(1 / 3)
    assert METRICS["map"](judged)[0] == pytest.approx(1 / 3)


def test_what_is_not_defined_for_a_list_is_nan():
    lists = np.array([[-1, -1], [2, -1]])
    judged = Judged(lists, np.zeros((2, 2), bool), np.array([1, 1]), TRAIN)
    assert np.isnan(METRICS["novelty"](judged)).tolist() == [True, False]
    assert np.isnan(METRICS["diversity"](judged)).all()
