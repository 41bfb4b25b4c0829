"""A/A: two groups treated alike, spend as in shops: nine in a hundred buy, amounts are skewed."""

import numpy as np
import pytest

from experiments.stats import Adjusted, Mean, compare, false_positive_rates, power


def test_skewed_spend_gives_few_false_alarms_and_on_both_sides():
    random = np.random.default_rng(20_080_320)
    runs, customers, alarms = 2_000, 2_000, {"up": 0, "down": 0}
    for _ in range(runs):
        spend = random.lognormal(4, 0.8, (2, customers)) * (random.random((2, customers)) < 0.09)
        one, other = (Mean(customers, float(arm.sum()), float((arm * arm).sum())) for arm in spend)
        effect = compare(one, other)
        if effect.p_value < 0.05:
            alarms["up" if effect.absolute > 0 else "down"] += 1
            assert (effect.relative_ci[0] > 0) == (effect.absolute > 0)
    # 2.5 % on each side, within three standard errors of 2,000 runs.
    assert 0.014 < alarms["up"] / runs < 0.036
    assert 0.014 < alarms["down"] / runs < 0.036


@pytest.mark.parametrize("method", ["group_sequential", "always_valid"])
def test_twenty_looks_raise_few_false_alarms(method):
    random = np.random.default_rng(4)
    spend = random.lognormal(4, 0.8, 20_000) * (random.random(20_000) < 0.2)
    found = false_positive_rates(spend, per_arm=2_000, runs=80, seed=4, method=method, looks=20)
    assert found.rate <= 0.05 + 3 * (0.05 * 0.95 / 80) ** 0.5


def test_shares_are_tried_as_shares_and_the_seed_decides():
    bought = (np.arange(5_000) % 8 == 0).astype(int)
    found = false_positive_rates(bought, per_arm=1_000, runs=400, seed=2)
    assert found.rate == pytest.approx(0.05, abs=0.033)
    assert found.rate == pytest.approx(found.up + found.down)
    assert found.coverage == pytest.approx(1 - found.rate)
    assert found == false_positive_rates(bought, per_arm=1_000, runs=400, seed=2)


@pytest.mark.parametrize("values", [(np.arange(5_000) % 8 == 0).astype(int), np.arange(5_000) % 40 / 8.0])
def test_a_lift_is_found_as_often_as_the_power_says(values):
    lift = 0.25
    effect, variance = lift * values.mean(), values.var()
    found = false_positive_rates(values, per_arm=800, runs=300, seed=3, lift=lift)
    expected = power(variance=variance, treated_variance=variance * 1.3, effect=effect, n_control=800)
    assert found.rate == pytest.approx(expected, abs=0.09)
    assert found.coverage == pytest.approx(0.95, abs=0.04)


def test_adjusted_metrics_can_be_tried_too():
    random = np.random.default_rng(5)
    before = random.gamma(1, 10, 4_000)
    rows = np.column_stack([before + random.gamma(1, 10, 4_000), before])
    found = false_positive_rates(
        rows, per_arm=200, runs=300, seed=5, build=lambda part: Adjusted.of(part[:, 0], part[:, 1])
    )
    assert found.rate == pytest.approx(0.05, abs=0.038)


def test_a_simulation_without_customers_is_refused():
    with pytest.raises(ValueError, match="at least two customers"):
        false_positive_rates(np.array([1.0]), per_arm=1)
