"""Chances and losses against numeric integration, sampling and closed forms."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from scipy.integrate import dblquad, quad

from experiments.stats import BetaPrior, Count, FlatPrior, Mean, NormalPrior, Proportion, bayesian, compare

CONTROL, TREATMENT = Mean(1_000, 5_000, 60_000), Mean(900, 4_700, 58_000)


def test_beta_answers_agree_with_numeric_integration():
    belief = bayesian(Proportion(40, 6), Proportion(50, 11), prior=BetaPrior(2, 3))
    control, treatment = scipy_stats.beta(8, 37), scipy_stats.beta(13, 42)
    above = quad(lambda x: control.pdf(x) * treatment.sf(x), 0, 1, epsabs=1e-13)[0]
    loss = dblquad(
        lambda t, c: (c - t) * treatment.pdf(t) * control.pdf(c), 0, 1, 0, lambda c: c, epsabs=1e-12
    )[0]
    assert belief.chance_to_beat == pytest.approx(above, abs=1e-11)
    assert belief.expected_loss == pytest.approx(loss, abs=1e-10)
    assert belief.expected_loss_control - belief.expected_loss == pytest.approx(13 / 55 - 8 / 45)


def test_beta_chance_meets_the_closed_form():
    """Cook (2005): for whole numbers the chance is a finite sum of beta functions."""
    a, b, c, d = 121, 881, 101, 901
    from scipy.special import betaln

    terms = [
        math.exp(betaln(c + i, b + d) - math.log(b + i) - betaln(1 + i, b) - betaln(c, d)) for i in range(a)
    ]
    belief = bayesian(Proportion(1_000, 100), Proportion(1_000, 120))
    assert belief.prior == BetaPrior(1, 1)
    assert belief.chance_to_beat == pytest.approx(sum(terms), abs=1e-9)


def test_beta_and_gamma_intervals_agree_with_sampling():
    random = np.random.default_rng(3)
    shares = random.beta(21, 181, 400_000) / random.beta(11, 191, 400_000) - 1
    belief = bayesian(Proportion(200, 10), Proportion(200, 20))
    assert belief.relative_interval == pytest.approx(tuple(np.quantile(shares, [0.025, 0.975])), abs=0.02)
    rates = random.gamma(30.5, 1 / 1_000, 400_000) - random.gamma(20.5, 1 / 900, 400_000)
    belief = bayesian(Count(500, 20, 900), Count(500, 30, 1_000))
    assert belief.credible_interval == pytest.approx(tuple(np.quantile(rates, [0.025, 0.975])), abs=2e-4)
    assert belief.chance_to_beat == pytest.approx((rates > 0).mean(), abs=0.003)
    assert belief.expected_loss == pytest.approx(np.maximum(-rates, 0).mean(), rel=0.03)


def test_without_a_prior_means_have_a_flat_one_and_normal_answers():
    belief, effect = bayesian(CONTROL, TREATMENT), compare(CONTROL, TREATMENT)
    error = math.sqrt(CONTROL.variance / 1_000 + TREATMENT.variance / 900)
    found = scipy_stats.norm(effect.absolute, error)
    assert belief.prior == FlatPrior()
    assert belief.chance_to_beat == pytest.approx(found.sf(0))
    assert belief.credible_interval == pytest.approx(found.interval(0.95))
    assert belief.expected_loss == pytest.approx(quad(lambda x: -x * found.pdf(x), -10, 0)[0], abs=1e-10)
    assert belief.expected_loss_control == pytest.approx(quad(lambda x: x * found.pdf(x), 0, 10)[0])


def test_a_prior_is_weighted_by_its_precision():
    """By hand: a relative prior N(0, 0.1²) of a control mean of 5 is N(0, 0.5²) of the difference."""
    belief = bayesian(CONTROL, TREATMENT, prior=NormalPrior(0, 0.1))
    spread = CONTROL.variance / 1_000 + TREATMENT.variance / 900
    weight = (1 / spread) / (1 / spread + 1 / 0.25)
    assert belief.absolute == pytest.approx(weight * (4_700 / 900 - 5))
    half = 1.959963985 * math.sqrt(weight * spread)
    assert belief.credible_interval == pytest.approx((belief.absolute - half, belief.absolute + half))


def test_absolute_and_relative_intervals_decide_alike():
    for total in range(4_500, 5_600, 50):
        belief = bayesian(CONTROL, Mean(900, total, 58_000), prior=NormalPrior(0.02, 0.05))
        signs = [(low > 0, high < 0) for low, high in (belief.credible_interval, belief.relative_interval)]
        assert signs[0] == signs[1]


def test_for_unsubscribes_less_is_better():
    up = bayesian(Proportion(500, 30), Proportion(500, 20))
    down = bayesian(Proportion(500, 30), Proportion(500, 20), direction="down")
    assert down.chance_to_beat == pytest.approx(1 - up.chance_to_beat)
    assert (down.expected_loss, down.expected_loss_control) == (up.expected_loss_control, up.expected_loss)


def test_priors_that_do_not_fit_are_refused():
    with pytest.raises(TypeError, match="shares"):
        bayesian(CONTROL, TREATMENT, prior=BetaPrior())
    with pytest.raises(TypeError, match="gamma"):
        bayesian(Count(2, 1, 1), Count(2, 1, 1), prior=FlatPrior())
