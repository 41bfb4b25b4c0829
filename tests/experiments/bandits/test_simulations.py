"""Bandits in made worlds: less regret than equal parts, and propensities that are true."""

from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from experiments.bandits import (
    LinearArm,
    beta_chances,
    cautious_spread,
    draw_arms,
    expected_rewards,
    linear_chances,
    normal_chances,
    ucb1_chances,
    ucb_tuned_chances,
    uniform_draws,
)
from experiments.stats import Mean, Proportion

RATES = np.array([0.05, 0.08, 0.12])
BATCHES, SIZE = 40, 250


def regret(method, state, rng):
    """Conversions lost against the best arm, over batches as campaigns are sent."""
    arms, lost = [state(0, 0), state(0, 0), state(0, 0)], 0.0
    for _ in range(BATCHES):
        chances = np.tile(method(arms), (SIZE, 1))
        drawn, _ = draw_arms(chances, rng.random(SIZE))
        rewards = rng.random(SIZE) < RATES[drawn]
        lost += float((RATES.max() - RATES[drawn]).sum())
        arms = [arm + state((drawn == k).sum(), rewards[drawn == k].sum()) for k, arm in enumerate(arms)]
    return lost


def proportion(n, successes):
    return Proportion(int(n), int(successes))


def mean(n, successes):
    return Mean(int(n), int(successes), int(successes))


@pytest.mark.parametrize(
    ("method", "state"),
    [
        (beta_chances, proportion),
        (normal_chances, mean),
        (ucb1_chances, proportion),
        (ucb_tuned_chances, proportion),
    ],
)
def test_less_is_lost_than_with_equal_parts(method, state):
    rng = np.random.default_rng(5)
    equal = float((RATES.max() - RATES).mean()) * BATCHES * SIZE
    lost = np.mean([regret(method, state, rng) for _ in range(3)])
    assert lost < 0.75 * equal


def taste(n, rng):
    """A constant and two features; the first arm is best for some customers, the second for the others."""
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    means = np.column_stack([1 + x[:, 1], 1 - x[:, 1], np.full(n, 0.5)])
    return x, means


def learned(rng, n=3000):
    x, means = taste(n, rng)
    drawn = rng.integers(0, 3, n)
    rewards = means[np.arange(n), drawn] + rng.normal(size=n)
    return [LinearArm.of(x[drawn == k], rewards[drawn == k]) for k in range(3)]


class Choice(NamedTuple):
    arms: np.ndarray
    propensities: np.ndarray
    chances: np.ndarray


def choose(arms, x, ids, *, seed, floor=0.05):
    chances = linear_chances(arms, x, floor=floor)
    return Choice(*draw_arms(chances, uniform_draws(seed, ids)), chances)


def test_each_customer_gets_the_variant_that_suits():
    rng = np.random.default_rng(2)
    arms = learned(rng)
    x, means = taste(4000, rng)
    choice = choose(arms, x, [str(i) for i in range(4000)], seed="spring", floor=0.02)
    earned = means[np.arange(4000), choice.arms].mean()
    best_single = means.mean(axis=0).max()
    assert earned > best_single + 0.6
    assert earned > 0.9 * means.max(axis=1).mean()
    assert choice.propensities.min() >= 0.02 - 1e-12


def test_a_repeated_choice_is_the_same():
    rng = np.random.default_rng(2)
    arms = learned(rng)
    x, _ = taste(50, rng)
    ids = [str(i) for i in range(50)]
    first = choose(arms, x, ids, seed="spring")
    again = choose(arms, x[::-1], ids[::-1], seed="spring")
    assert (first.arms == again.arms[::-1]).all()


def test_propensities_are_calibrated_over_customers_who_all_differ():
    """Within tenths of the propensity of the first arm it is drawn as often as it says."""
    rng = np.random.default_rng(3)
    x, _ = taste(30_000, rng)
    arms = [arm for arm in learned(rng, n=60)]
    choice = choose(arms, x, [str(i) for i in range(30_000)], seed="s", floor=0.05)
    chance = choice.chances[:, 0]
    groups = np.digitize(chance, np.quantile(chance, np.arange(1, 10) / 10))
    drawn = np.array([(choice.arms[groups == g] == 0).sum() for g in range(10)])
    expected = np.array([chance[groups == g].sum() for g in range(10)])
    variances = np.array([(chance[groups == g] * (1 - chance[groups == g])).sum() for g in range(10)])
    assert stats.chi2.sf(((drawn - expected) ** 2 / variances).sum(), 10) > 0.001


def test_weighting_by_the_propensities_gives_back_each_variants_true_mean():
    rng = np.random.default_rng(4)
    x, means = taste(20_000, rng)
    choice = choose(learned(rng), x, [str(i) for i in range(20_000)], seed="s", floor=0.05)
    rewards = means[np.arange(20_000), choice.arms]
    for k in range(3):
        values = np.where(choice.arms == k, rewards / choice.propensities, 0)
        error = values.std() / np.sqrt(20_000)
        assert abs(values.mean() - means[:, k].mean()) < 4 * error


def test_chances_are_those_of_drawing_the_models_themselves():
    """Against the paper's own way: draw every arm's parameters, take the largest."""
    rng = np.random.default_rng(6)
    arms = learned(rng, n=90)
    x = np.array([[1.0, 0.1, -0.5]])
    draws = np.column_stack(
        [
            rng.multivariate_normal(
                np.linalg.solve(np.eye(3) + arm.xx, arm.xr),
                0.8**2 * np.linalg.inv(np.eye(3) + arm.xx),
                400_000,
            )
            @ x[0]
            for arm in arms
        ]
    )
    counted = np.bincount(draws.argmax(axis=1), minlength=3) / 400_000
    assert linear_chances(arms, x, floor=0, spread=0.8)[0] == pytest.approx(counted, abs=3e-3)


def test_the_sums_of_two_days_are_those_of_both():
    rng = np.random.default_rng(1)
    x, r = rng.normal(size=(40, 3)), rng.normal(size=40)
    both, parts = LinearArm.of(x, r), LinearArm.of(x[:15], r[:15]) + LinearArm.of(x[15:], r[15:])
    assert parts.n == 40
    assert parts.xx == pytest.approx(both.xx)
    assert parts.xr == pytest.approx(both.xr)
    assert parts.rr == pytest.approx(both.rr)


def test_expected_rewards_are_ridge_regressions():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(1)
    x, r = rng.normal(size=(40, 3)), rng.normal(size=40)
    model = Ridge(alpha=1.0, fit_intercept=False).fit(x, r)
    assert expected_rewards([LinearArm.of(x, r)], x)[:, 0] == pytest.approx(model.predict(x))


def test_arms_nobody_got_are_drawn_alike():
    arms = [LinearArm.empty(2)] * 4
    assert linear_chances(arms, np.array([[1.0, 3.0]]))[0] == pytest.approx([0.25] * 4)


def test_the_cautious_spread_by_hand():
    # 9 · 2 · ln(100/.05) = 136.82
    assert cautious_spread(columns=2, rounds=100) == pytest.approx(11.697, abs=1e-3)
