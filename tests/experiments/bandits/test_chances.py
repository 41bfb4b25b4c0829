"""Chances to be drawn, against closed forms, large simulations and hand computation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import betaln

from experiments.bandits import (
    beta_chances,
    draw_arms,
    normal_chances,
    ucb1_chances,
    ucb_tuned_chances,
    uniform_draws,
    with_floor,
)
from experiments.bandits.best_chance import normal_chances_to_be_best
from experiments.stats import Mean, Proportion


def closed_form(a, b, c, d):
    """P(Beta(c, d) > Beta(a, b)) for whole c. Source: Miller (2015), "Formulas for Bayesian A/B testing"."""
    return sum(
        math.exp(betaln(a + i, b + d) - math.log(d + i) - betaln(1 + i, d) - betaln(a, b)) for i in range(c)
    )


@given(*[st.integers(0, 300)] * 4)
@settings(max_examples=40, deadline=None)
def test_two_rates_as_in_the_closed_form(s1, f1, s2, f2):
    chances = beta_chances([Proportion(s1 + f1, s1), Proportion(s2 + f2, s2)])
    assert chances[1] == pytest.approx(closed_form(1 + s1, 1 + f1, 1 + s2, 1 + f2), abs=1e-6)


def test_three_rates_as_in_two_million_draws():
    arms = [Proportion(1000, 30), Proportion(50, 3), Proportion(100_000, 3500)]
    rng = np.random.default_rng(0)
    draws = np.column_stack([rng.beta(1 + a.successes, 1 + a.n - a.successes, 2_000_000) for a in arms])
    counted = np.bincount(draws.argmax(axis=1), minlength=3) / 2_000_000
    assert beta_chances(arms) == pytest.approx(counted, abs=1.5e-3)


def test_two_normal_arms_as_the_normal_distribution_says():
    means, deviations = np.array([[1.0, 1.3], [0.0, -5.0]]), np.array([[0.2, 0.1], [1.0, 0.01]])
    z = (means[:, 1] - means[:, 0]) / np.hypot(deviations[:, 0], deviations[:, 1])
    assert normal_chances_to_be_best(means, deviations)[:, 1] == pytest.approx(stats.norm.cdf(z), abs=1e-6)


def test_amounts_are_judged_by_students_posteriors():
    arms = [Mean(10, 100, 1100), Mean(12, 132, 1600), Mean(400, 4400, 52_000)]
    rng = np.random.default_rng(1)
    draws = np.column_stack(
        [a.value + math.sqrt(a.variance / a.n) * rng.standard_t(a.n - 1, 1_000_000) for a in arms]
    )
    counted = np.bincount(draws.argmax(axis=1), minlength=3) / 1_000_000
    assert normal_chances(arms) == pytest.approx(counted, abs=2e-3)


def test_amounts_nobody_knows_are_drawn_alike():
    assert normal_chances([Mean(2, 5, 13), Mean(500, 900, 9000)]).tolist() == [0.5, 0.5]


def test_upper_bounds_by_hand():
    arms = [Proportion(10, 5), Proportion(40, 24)]
    # ln 50 = 3.912: .5 + √(7.824/10) = 1.385 against .6 + √(7.824/40) = 1.042.
    assert ucb1_chances(arms).tolist() == [1, 0]
    # Both limited by ¼: .5 + √(.3912/4) = .8127 against .6 + √(.0978/4) = .7564.
    assert ucb_tuned_chances(arms).tolist() == [1, 0]
    # With many customers the mean decides: .5 + .0961 against .6 + .0961.
    assert ucb1_chances([Proportion(1000, 500), Proportion(1000, 600)], floor=0.1) == pytest.approx(
        [0.1, 0.9]
    )


def test_arms_nobody_saw_come_first_in_equal_parts():
    assert ucb1_chances([Proportion(0, 0), Proportion(9, 9), Proportion(0, 0)]).tolist() == [0.5, 0, 0.5]


def test_upper_bounds_refuse_amounts_above_one():
    with pytest.raises(ValueError, match="between 0 and 1"):
        ucb1_chances([Mean(2, 30, 500), Mean(2, 1, 1)])


@pytest.mark.parametrize("method", [beta_chances, ucb1_chances, ucb_tuned_chances])
def test_every_arm_keeps_the_floor(method):
    chances = method([Proportion(1000, 1), Proportion(1000, 500), Proportion(1000, 2)], floor=0.02)
    assert chances.min() == pytest.approx(0.02, abs=1e-9)
    assert chances.sum() == pytest.approx(1)


def test_a_floor_for_more_than_everybody_is_refused():
    with pytest.raises(ValueError, match="1/3"):
        with_floor(np.ones(3) / 3, 0.4)


def test_arms_are_drawn_as_often_as_their_propensities_say():
    chances = np.tile([0.02, 0.9, 0.08], (60_000, 1))
    arms, propensities = draw_arms(chances, uniform_draws("spring", [f"c-{i}" for i in range(60_000)]))
    observed = np.bincount(arms, minlength=3)
    assert stats.chisquare(observed, 60_000 * chances[0]).pvalue > 0.001
    assert (propensities == chances[0][arms]).all()


def test_a_customers_draw_depends_on_nobody_else():
    draws = uniform_draws("spring", ["a", "b", "c"])
    assert uniform_draws("spring", ["c"])[0] == draws[2]
    assert uniform_draws("summer", ["c"])[0] != draws[2]
    assert stats.kstest(uniform_draws("x", [str(i) for i in range(20_000)]), "uniform").pvalue > 0.001
