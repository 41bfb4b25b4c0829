"""No group that is shown, and none that can be computed from what is shown, is smaller than the floor."""

from hypothesis import given
from hypothesis import strategies as st

from experiments.breakdowns.small_groups import OTHERS, merge_small


def test_small_groups_are_put_together():
    counts = {"GB": {1: 50, 2: 60}, "FR": {1: 12, 2: 30}, "DE": {1: 9, 2: 40}, "IT": {1: 3, 2: 2}}
    # Germany and Italy have 9 + 3 and 40 + 2: together they pass the floor.
    assert merge_small(counts, least=10, most=9) == {"GB": "GB", "FR": "FR", "DE": OTHERS, "IT": OTHERS}


def test_a_lone_small_group_takes_the_smallest_large_one_with_it():
    counts = {"GB": {1: 50, 2: 60}, "FR": {1: 12, 2: 30}, "IT": {1: 3, 2: 2}}
    # Shown beside the whole, the three Italians would be told by subtraction.
    assert merge_small(counts, least=10, most=9) == {"GB": "GB", "FR": OTHERS, "IT": OTHERS}


def test_one_group_alone_compares_nothing():
    assert merge_small({"GB": {1: 50, 2: 50}, "IT": {1: 3, 2: 2}}, least=10, most=9) is None
    assert merge_small({}, least=10, most=9) is None


def test_no_more_groups_than_wanted_are_shown():
    counts = {str(number): {1: 100 - number, 2: 100 - number} for number in range(9)}
    shown = merge_small(counts, least=10, most=4)
    assert sorted(set(shown.values())) == ["0", "1", "2", OTHERS]


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=3),
        st.fixed_dictionaries({1: st.integers(0, 40), 2: st.integers(0, 40)}),
        max_size=12,
    ),
    st.integers(1, 20), st.integers(2, 12),
)  # fmt: skip
def test_every_group_that_is_shown_passes_the_floor(counts, least, most):
    shown = merge_small(counts, least=least, most=most)
    if shown is None:
        return
    assert shown.keys() == counts.keys()
    totals = {}
    for label, by_variant in counts.items():
        for variant, n in by_variant.items():
            cell = (shown[label], variant)
            totals[cell] = totals.get(cell, 0) + n
    assert min(totals.values()) >= least
    assert 2 <= len(set(shown.values())) <= most
