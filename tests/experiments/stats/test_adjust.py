from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from experiments.stats import adjust

PUBLISHED = [0.898, 0.138, 0.007, 0.964, 0.538, 0.006, 0.138]


def test_benjamini_hochberg_meets_published_figures():
    expected = [0.964, 0.2415, 0.0245, 0.964, 0.7532, 0.0245, 0.2415]
    assert adjust(PUBLISHED, "bh") == pytest.approx(expected, abs=5e-5)


def test_holm_multiplies_the_smallest_by_their_number():
    """By hand: .01 × 3; max(.02 × 2, .03); max(.04 × 1, .04)."""
    assert adjust([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_holm_is_that_of_statsmodels(p_values):
    with patch("gc.collect"):  # it collects the garbage of the whole process
        expected = multipletests(p_values, method="holm")[1].tolist()
    assert adjust(p_values) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_one_question_needs_no_adjustment():
    assert adjust([0.03]) == [0.03]
    assert adjust([]) == []


def test_unknown_methods_and_impossible_values_are_refused():
    with pytest.raises(ValueError):
        adjust([0.1, 0.2], "no-such-method")
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust([1.2])
