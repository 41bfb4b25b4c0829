"""Test events judged in their own context, by hand."""

import numpy as np
import pytest

from recommender.algorithms import get
from recommender.evaluation import Log, held_split
from recommender.evaluation.context import cases_of, context_gain, judge_in_context


@pytest.fixture
def split():
    """Two users; user 0 takes item 2 in the morning and 3 in the evening of the test part, user 1 item 3."""
    users, items = np.array([0, 0, 1, 1, 0, 0, 0, 1]), np.array([0, 1, 0, 1, 2, 3, 2, 3])
    parts = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    log = Log(users, items, np.ones(8, np.float32), np.arange(8), (2, 4), {"part": parts})
    return held_split("by hand", log, np.arange(8) >= 4)


def test_a_case_is_a_user_in_a_context(split):
    cases = cases_of(split, ["part"])
    assert cases.users.tolist() == [0, 0, 1]
    assert cases.context["part"].tolist() == [0, 1, 1]
    assert [cases.wanted.row(case)[0].tolist() for case in range(3)] == [[2], [3], [3]]


def test_each_users_value_is_the_mean_of_the_cases(split):
    class Listed(get("popular")):
        def _score_in(self, histories, context):
            scores = np.zeros(histories.shape, np.float32)
            if "part" in context:  # right in the morning, second best in the evening
                scores[:, 2] = 1
            else:
                scores[:, 3] = 1
            return scores

    model = Listed().fit(split.train)
    second = 1 / np.log2(3)
    assert judge_in_context(model, split, cases_of(split, ["part"]), k=2) == pytest.approx(
        [(1 + second) / 2, second]
    )
    found = context_gain(model, model, split, ["part"], k=2)
    assert found.n_cases == 3 and found.without.value == pytest.approx(((1 + second) / 2 + 1) / 2)
    assert found.gain.difference == pytest.approx((second - 1) / 2)


def test_a_column_that_is_not_there_is_named(split):
    with pytest.raises(ValueError, match="weather"):
        cases_of(split, ["weather"])
