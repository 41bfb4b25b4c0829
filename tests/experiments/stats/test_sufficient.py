import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.stats import Mean, Proportion

VALUES = st.lists(st.decimals(-10_000, 10_000, places=2), min_size=1, max_size=20)


def mean_of(values):
    return Mean(len(values), sum(values, Decimal(0)), sum((value * value for value in values), Decimal(0)))


@given(VALUES, VALUES)
def test_adding_statistics_is_pooling_the_customers(one, other):
    assert mean_of(one) + mean_of(other) == mean_of(one + other)


@given(st.integers(0, 50), st.integers(0, 50))
def test_adding_shares_is_pooling_the_customers(one, other):
    assert Proportion(50, one) + Proportion(60, other) == Proportion(110, one + other)


@given(VALUES.filter(lambda values: len(values) > 1))
def test_mean_and_variance_are_those_of_the_values(values):
    found = mean_of(values)
    assert found.value == pytest.approx(float(statistics.mean(values)))
    assert found.variance == pytest.approx(float(statistics.variance(values)), rel=1e-12)


def test_large_sums_lose_no_digit():
    """Ten billion ± 1: the squares agree in 20 digits, so that doubles would answer 0 or nonsense."""
    values = [Decimal(10**10 + step) for step in (-1, 0, 1)]
    assert mean_of(values).variance == 1.0


def test_sums_of_doubles_are_accepted_and_mixed_with_exact_ones():
    total = Mean(2, 0.3, 0.05) + Mean(1, Decimal("0.5"), Decimal("0.25"))
    assert total.n == 3
    assert total.sum == pytest.approx(0.8)


def test_nobody_has_neither_mean_nor_variance():
    assert Mean(0, 0, 0).value is None
    assert Mean(1, 3, 9).variance is None
    assert Proportion(0, 0).value is None
    assert Proportion(1, 1).variance is None


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (0, 1, 1), (2, 10, 1), (2, 0, -1)])
def test_impossible_sums_are_refused(numbers):
    with pytest.raises(ValueError):
        Mean(*numbers)


@pytest.mark.parametrize("numbers", [(5, 6), (5, -1)])
def test_impossible_counts_are_refused(numbers):
    with pytest.raises(ValueError, match="successes"):
        Proportion(*numbers)
