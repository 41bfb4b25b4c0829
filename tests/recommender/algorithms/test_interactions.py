import numpy as np
import pytest

from recommender.algorithms import Interactions


def test_duplicates_are_added_up_and_keep_their_latest_time():
    found = Interactions.from_arrays(
        users=[1, 0, 1], items=[2, 0, 2], weights=[1.0, 4.0, 0.5], timestamps=[30, 10, 20], shape=(3, 3)
    )
    assert found.indptr.tolist() == [0, 1, 2, 2]
    assert found.items.tolist() == [0, 2]
    assert found.weights.tolist() == [4.0, 1.5]
    assert found.timestamps.tolist() == [10, 30]


def test_rows_come_in_the_asked_order_and_unknown_ones_are_empty():
    data = Interactions.from_arrays(users=[0, 0, 2], items=[0, 1, 1])
    assert data.rows([2, 7, -1, 0]).matrix.toarray().tolist() == [[0, 1], [0, 0], [0, 0], [1, 1]]
    assert Interactions.from_arrays(users=np.zeros(0, int), items=np.zeros(0, int)).rows([0]).n_users == 1


def test_what_was_returned_is_no_interaction():
    data = Interactions.from_arrays(users=[0, 0, 1], items=[0, 0, 1], weights=[1.0, -1.0, 2.0]).positive()
    assert data.matrix.toarray().tolist() == [[0, 0], [0, 2]]


def test_damping_leaves_one_purchase_at_one():
    data = Interactions.from_arrays(users=[0, 0, 0], items=[0, 1, 2], weights=[1.0, 3.0, 127.0]).damped()
    assert data.weights.tolist() == [1.0, 2.0, 7.0]


def test_context_columns_keep_every_event():
    data = Interactions.from_arrays(users=[0, 0], items=[1, 1], context={"device": [3, 4]})
    assert data.weights.tolist() == [2.0]
    assert data.events["device"].tolist() == [3, 4]


def test_rows_take_their_events_along():
    data = Interactions.from_arrays(
        users=[2, 0, 2, 1], items=[1, 0, 3, 2], timestamps=[5, 6, 7, 8], context={"device": [3, 4, 5, 6]}
    )
    found = data.rows([2, 9, 0])
    assert found.events["users"].tolist() == [0, 0, 2]
    assert found.events["items"].tolist() == [1, 3, 0]
    assert found.events["device"].tolist() == [3, 5, 4] and found.events["timestamps"].tolist() == [5, 7, 6]


@pytest.mark.parametrize(
    "wrong",
    [
        {"users": [0, 1], "items": [0]},
        {"users": [-1], "items": [0]},
        {"users": [0.5], "items": [0]},
        {"users": [0], "items": [3], "shape": (1, 3)},
        {"users": [0], "items": [0], "weights": [1.0, 2.0]},
        {"users": [[0]], "items": [[0]]},
    ],
)
def test_columns_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError):
        Interactions.from_arrays(**wrong)
