"""One arm told against another where the chances differed: by hand, and against what is true."""

import numpy as np
import pytest

from experiments.off_policy import Log, arm_value, contrast_arms
from experiments.stats import compare_contrast

# Four decisions: arm 0 with chances ½ and ¼, arm 1 with ½ and ¾.
LOG = Log(np.array([0, 1, 0, 1]), np.array([0.5, 0.5, 0.25, 0.75]), np.array([1.0, 2.0, 3.0, 6.0]))


def test_a_value_is_the_mean_weighted_by_the_chances():
    found = arm_value(LOG, 0)
    # Weights 2 and 4: (2·1 + 4·3)/6; worth 6²/(4 + 16); 6 of 4 decisions.
    assert (found.n, found.value, found.effective, found.whole) == (2, 14 / 6, 36 / 20, 6 / 4)
    # (1 − ½)/¼ + (1 − ¼)/(1/16) = 14 for 6 that should be 4, in decisions.
    assert found.whole_error == pytest.approx((14 * 4 / 6) ** 0.5 / 4)
    assert arm_value(LOG, 2) is None


def test_that_the_chances_are_right_is_doubted_no_more_often_than_it_says():
    """Three waves with a floor of 8 %: the arm that few get is the one that would cry wolf."""
    rng = np.random.default_rng(4)
    chances = np.repeat([0.4, 0.08, 0.08], 300)
    doubted = 0
    for _ in range(4_000):
        actions = (rng.random(900) < chances).astype(np.intp)
        found = arm_value(Log(actions, np.where(actions, chances, 1 - chances), np.zeros(900)), 1)
        doubted += abs(found.whole - 1) > 2.5758 * found.whole_error  # p < .01, two-sided
    assert 25 <= doubted <= 58, "40 expected; three standard deviations are 19"


def test_the_contrast_is_the_difference_of_the_values():
    found = contrast_arms(LOG, 1, base=0)
    weights = np.array([2, 4 / 3])
    assert found.base == pytest.approx(14 / 6)
    assert found.difference == pytest.approx((weights @ [2, 6]) / weights.sum() - 14 / 6)
    assert contrast_arms(LOG, 2, base=0) is None


def test_where_the_naive_means_mislead_the_weighted_ones_do_not():
    """Late customers spend more, and get arm 1 more often: nothing differs, but raw means say so."""
    rng, alarms, naive = np.random.default_rng(7), 0, 0
    for _ in range(300):
        late = np.arange(2000) >= 1000
        chance = np.where(late, 0.9, 0.5)
        actions = (rng.random(2000) < chance).astype(np.intp)
        rewards = rng.normal(np.where(late, 3.0, 1.0), 1.0)
        log = Log(actions, np.where(actions == 1, chance, 1 - chance), rewards)
        effect = compare_contrast(contrast_arms(log, 1, base=0), name="snipw")
        alarms += effect.p_value < 0.05
        naive += rewards[actions == 1].mean() - rewards[actions == 0].mean() > 0.3
    assert naive == 300
    assert alarms / 300 < 0.08
