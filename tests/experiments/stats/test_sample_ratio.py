import pytest
from scipy.stats import chisquare

from experiments.stats import sample_ratio


def test_the_published_mismatch_is_found():
    """Kohavi, Tang and Xu (2020), chapter 3: 821,588 against 815,482."""
    found = sample_ratio([821_588, 815_482], [1, 1])
    assert found.p_value == pytest.approx(1.8217928726e-06, rel=1e-9)
    assert found.mismatch


def test_the_email_challenge_was_divided_as_planned():
    found = sample_ratio([21_306, 21_307, 21_387], [1 / 3] * 3)
    assert found.p_value == pytest.approx(0.9036929576, rel=1e-9)
    assert not found.mismatch


def test_unequal_weights_are_judged_by_the_weights():
    observed, weights = [880, 5_010, 4_110], [0.1, 0.5, 0.4]
    oracle = chisquare(observed, [1_000, 5_000, 4_000])
    found = sample_ratio(observed, weights)
    assert (found.chi_square, found.p_value) == pytest.approx((oracle.statistic, oracle.pvalue))
    assert found.expected == pytest.approx((1_000, 5_000, 4_000))


def test_a_customer_where_nobody_should_be_is_a_mismatch():
    assert sample_ratio([50, 50, 1], [1, 1, 0]).p_value == 0.0


def test_nobody_or_one_group_cannot_be_judged():
    assert sample_ratio([0, 0], [1, 1]) is None
    assert sample_ratio([10, 0], [1, 0]) is None


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="weight for each"):
        sample_ratio([1], [1, 1])
    with pytest.raises(ValueError, match="negative"):
        sample_ratio([1, -1], [1, 1])
