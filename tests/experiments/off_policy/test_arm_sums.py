"""Sums of one arm by hand; with equal chances they say what plain means say."""

import numpy as np
import pytest

from experiments.off_policy import ArmSums

CHANCES, OUTCOMES = np.array([0.5, 0.25]), np.array([1.0, 3.0])


def test_sums_by_hand():
    # Weights 2 and 4.
    found = ArmSums.of(CHANCES, OUTCOMES)
    assert found == ArmSums(2, 6.0, 20.0, 14.0, 52.0, 148.0)
    assert (found.value, found.effective, found.chance) == (14 / 6, 1.8, 2 / 6)
    assert found.error is None, "fewer than two effective decisions"


def test_sums_of_days_add_up():
    parts = [ArmSums.of(CHANCES[[k]], OUTCOMES[[k]]) for k in (0, 1)]
    assert ArmSums.total(parts) == ArmSums.of(CHANCES, OUTCOMES)
    assert ArmSums.total([]) == ArmSums()
    assert (ArmSums().value, ArmSums().effective, ArmSums().error, ArmSums().chance) == (
        None,
        0.0,
        None,
        None,
    )


def test_with_equal_chances_the_error_is_that_of_the_plain_mean():
    values = np.random.default_rng(3).gamma(1.0, 20.0, 400)
    found = ArmSums.of(np.full(400, 0.3), values)
    assert found.value == pytest.approx(values.mean())
    assert found.effective == pytest.approx(400)
    assert found.error == pytest.approx(values.std(ddof=1) / 20)


def test_the_error_is_that_of_a_mean_with_weights():
    rng = np.random.default_rng(4)
    chances, values = rng.uniform(0.05, 0.9, 500), rng.normal(10.0, 3.0, 500)
    found, weights = ArmSums.of(chances, values), 1 / chances
    mean = np.average(values, weights=weights)
    plain = np.sqrt((weights**2 * (values - mean) ** 2).sum()) / weights.sum()
    n = found.effective
    assert found.error == pytest.approx(plain * np.sqrt(n / (n - 1)))
