from recommender.algorithms import Interactions, get


def test_it_is_the_order_of_weights():
    data = Interactions.from_arrays(
        users=[0, 1, 2, 0], items=[2, 2, 0, 1], weights=[1, 1, 1, 5.0], shape=(3, 4)
    )
    items, scores = get("popular")().fit(data).recommend([0], 4)
    assert items.tolist() == [[1, 2, 0, -1]]
    assert scores[0, :3].tolist() == [5.0, 2.0, 1.0]


def test_what_was_returned_was_not_bought():
    """Item 0 was bought and returned by user 0, so one purchase of it is left; item 1 has two."""
    data = Interactions.from_arrays(
        users=[0, 0, 1, 1, 2], items=[0, 0, 0, 1, 1], weights=[1, -1, 1, 1, 1], shape=(3, 3)
    )
    items, scores = get("popular")().fit(data).recommend_for([[]], 3)
    assert items.tolist() == [[1, 0, -1]]
    assert scores[0, :2].tolist() == [2.0, 1.0]


def test_equally_bought_items_come_by_number():
    data = Interactions.from_arrays(users=[0, 1, 2], items=[2, 0, 1])
    assert get("popular")().fit(data).recommend_for([[]], 3)[0].tolist() == [[0, 1, 2]]
