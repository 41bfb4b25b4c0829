"""What to believe of arms: against closed formulas, and against the chances that Thompson's rule draws by."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import betaln

from experiments.bandits import beta_chances, normal_chances
from experiments.bandits.beliefs import believe, posterior, regret_of
from experiments.off_policy import ArmSums
from experiments.stats import Mean, Proportion


def alike(n, successes):
    """Everybody had the same chance."""
    return ArmSums(n, float(n), float(n), float(successes), float(successes), float(successes))


def ahead(a, b):
    """P(first > second) of two Beta distributions with whole numbers. Source: Miller (2015), Formulas for
    Bayesian A/B testing, equation 6."""
    (a1, b1), (a2, b2) = a, b
    return sum(
        math.exp(betaln(a2 + i, b1 + b2) - math.log(b1 + i) - betaln(1 + i, b1) - betaln(a2, b2))
        for i in range(a1)
    )


def test_two_shares_as_the_closed_formulas_have_them():
    arms = (alike(400, 30), alike(250, 28))
    first, second = (31, 371), (29, 223)
    found = believe(arms, is_share=True)
    assert found[0].best == pytest.approx(ahead(first, second), abs=1e-6)
    assert found[0].best + found[1].best == pytest.approx(1)
    # E(B − A)⁺ = E(B)·P(B⁺ > A) − E(A)·P(B > A⁺), where ⁺ has one success more.
    (a1, b1), (a2, b2) = first, second
    loss = a2 / (a2 + b2) * ahead((a2 + 1, b2), first) - a1 / (a1 + b1) * ahead(second, (a1 + 1, b1))
    assert found[0].loss == pytest.approx(loss, abs=1e-7)
    assert found[1].loss == pytest.approx(loss - (a2 / (a2 + b2) - a1 / (a1 + b1)), abs=1e-7)
    assert found[0].interval == pytest.approx(stats.beta(*first).interval(0.95))


def test_with_equal_chances_the_best_is_what_is_drawn_by():
    counts = [(1000, 61), (600, 40), (3000, 120), (40, 0)]
    found = believe(tuple(alike(*one) for one in counts), is_share=True)
    drawn = beta_chances([Proportion(*one) for one in counts])
    assert [one.best for one in found] == pytest.approx(drawn.tolist(), abs=1e-6)
    rng = np.random.default_rng(8)
    values = [rng.gamma(0.4, 30.0, n) for n in (300, 90, 1200)]
    found = believe(tuple(ArmSums.of(np.full(len(v), 0.2), v) for v in values), is_share=False)
    drawn = normal_chances([Mean(len(v), float(v.sum()), float((v**2).sum())) for v in values])
    assert [one.best for one in found] == pytest.approx(drawn.tolist(), abs=1e-6)


def test_where_less_is_better_the_lowest_is_the_best():
    arms = (alike(500, 5), alike(500, 25))
    up, down = believe(arms, is_share=True), believe(arms, is_share=True, more_is_better=False)
    assert down[0].best == pytest.approx(up[1].best)
    assert down[1].loss == pytest.approx(up[0].loss)


def test_rare_draws_are_believed_less():
    """Half of the customers got the arm in a wave in which few got it: they weigh more and say less."""
    rng = np.random.default_rng(5)
    outcomes = (rng.random(1000) < 0.1).astype(np.float64)
    even = posterior(ArmSums.of(np.full(1000, 0.5), outcomes), is_share=True)
    uneven = posterior(ArmSums.of(np.repeat([0.9, 0.1], 500), outcomes), is_share=True)
    assert uneven.std() > 1.2 * even.std()


def test_nothing_is_believed_before_there_is_something_to_see():
    few = ArmSums.of(np.array([0.5, 0.5]), np.array([3.0, 0.0]))
    silent = ArmSums.of(np.full(50, 0.5), np.zeros(50))
    assert believe((few, silent), is_share=False) is None
    assert regret_of((few, silent), (2, 50), is_share=False) is None
    assert believe((), is_share=True) is None
    assert believe((ArmSums(), alike(10, 1)), is_share=True)[0].interval == pytest.approx((0.025, 0.975))


def test_regret_is_what_each_draw_loses_added_up():
    arms, counts = (alike(900, 90), alike(300, 15), alike(300, 18)), (900, 300, 300)
    losses = [one.loss for one in believe(arms, is_share=True)]
    found = regret_of(arms, counts, is_share=True)
    assert found.value == pytest.approx(sum(n * loss for n, loss in zip(counts, losses, strict=True)))
    assert found.even == pytest.approx(500 * sum(losses))
    assert found.saved == pytest.approx(found.even - found.value)
    draws = np.column_stack(
        [
            stats.beta(1 + arm.wy, 1 + arm.n - arm.wy).rvs(200_000, random_state=k)
            for k, arm in enumerate(arms)
        ]
    )
    lost = (draws.max(axis=1, keepdims=True) - draws) @ np.array(counts)
    assert found.value == pytest.approx(lost.mean(), rel=0.01)
    assert found.interval == pytest.approx(np.quantile(lost, [0.025, 0.975]), rel=0.1)
    assert found.interval[0] < found.value < found.interval[1]
