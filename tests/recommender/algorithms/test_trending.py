"""Expected scores by hand."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, get, load

DAY = 86_400


def events(*rows, **columns):
    """(user, item, day)"""
    users, items, days = (np.array(column) for column in zip(*rows, strict=True))
    return Interactions.from_arrays(users=users, items=items, timestamps=days * DAY, **columns)


def test_every_half_life_of_age_halves_the_weight():
    data = events((0, 0, 100), (1, 1, 90), (2, 1, 90), (3, 2, 80), (0, 3, 70))
    items, scores = get("trending")(half_life_days=10).fit(data).recommend_for([[]], 5)
    assert items.tolist() == [[0, 1, 2, 3, -1]]
    assert scores[0, :4].tolist() == [1.0, 1.0, 0.25, 0.125]


def test_a_pair_of_many_events_spreads_them_from_its_first_to_its_last():
    data = events((0, 0, 70), (0, 0, 80), (0, 0, 100), (1, 1, 100))
    _, scores = get("trending")(half_life_days=10).fit(data).recommend_for([[]], 2)
    spread = 1 + 2**-1.5 + 2**-3  # at days 100, 85 and 70
    assert scores[0] == pytest.approx([spread, 1.0])


def test_events_of_the_same_second_count_fully():
    data = events((0, 0, 100), (0, 0, 100), (1, 1, 100))
    assert get("trending")().fit(data).recommend_for([[]], 2)[1].tolist() == [[2.0, 1.0]]


def test_without_times_it_is_the_order_of_popular():
    data = Interactions.from_arrays(users=[0, 1, 2], items=[2, 2, 0], shape=(3, 4))
    found = [get(name)().fit(data).recommend([0], 4) for name in ("popular", "trending")]
    assert np.array_equal(found[0][0], found[1][0]) and np.array_equal(found[0][1], found[1][1])


def test_what_everybody_forgot_comes_last_but_comes(tmp_path):
    data = events((0, 0, 4000), (1, 1, 0), shape=(2, 3))
    model = get("trending")(half_life_days=1).fit(data)
    assert model.recommend_for([[]], 3)[0].tolist() == [[0, 1, -1]]
    model.save(tmp_path / "model.npz")
    assert load(tmp_path / "model.npz").recommend_for([[]], 3)[0].tolist() == [[0, 1, -1]]


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_a_half_life_is_positive(wrong):
    with pytest.raises(ValueError, match="half_life_days"):
        get("trending")(half_life_days=wrong)
