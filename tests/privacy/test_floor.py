"""No cell of a report is about fewer than k customers, not even by subtraction."""

import pytest

from personalization.privacy.floor import is_reportable, small_cells


@pytest.fixture(autouse=True)
def ten(settings):
    settings.K_ANONYMITY = 10


@pytest.mark.parametrize(("count", "told"), [(0, True), (1, False), (9, False), (10, True), (11, True)])
def test_a_count_below_the_floor_is_not_shown(count, told):
    assert is_reportable(count) == told


@pytest.mark.parametrize(
    ("cells", "hidden"),
    [
        ({"a": 50, "b": 12}, set()),
        # 65 in all: whoever sees a and b knows c. So the smallest of the others goes with it.
        ({"a": 50, "b": 12, "c": 3}, {"b", "c"}),
        # Two cells, but together still fewer than ten.
        ({"a": 50, "b": 4, "c": 3, "d": 20}, {"b", "c", "d"}),
        ({"a": 50, "b": 8, "c": 7}, {"b", "c"}),
        ({"a": 3}, {"a"}),
        ({"a": 0, "b": 30}, set()),
    ],
)
def test_a_hidden_cell_cannot_be_had_by_subtraction(cells, hidden):
    assert small_cells(cells) == hidden


def test_switched_off_it_shows_everything(settings):
    settings.K_ANONYMITY = 0
    assert small_cells({"a": 1}) == set()
