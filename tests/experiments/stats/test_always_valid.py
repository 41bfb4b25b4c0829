"""Confidence sequences. Figures by confseq and gbstats; the bound itself by integrating the mixture."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from experiments.stats import Proportion, compare
from experiments.stats.rules import AlwaysValid


def rule(alternative="two-sided", alpha=0.05, tuned_for=5_000):
    return AlwaysValid(alpha, alternative, tuned_for, alpha)


@pytest.mark.parametrize(("n", "expected"), [(1_000, 3.36389), (10_000, 3.06148), (100_000, 3.33686)])
def test_widths_are_the_published_ones(n, expected):
    assert rule().critical(math.inf, n) == pytest.approx(expected, abs=5e-6)


@pytest.mark.parametrize(("n", "expected"), [(500, 0.17240328), (5_000, 0.04292434), (50_000, 0.01449743)])
def test_the_half_width_is_the_normal_mixture_bound_of_confseq(n, expected):
    assert rule().critical(math.inf, n) / math.sqrt(n) == pytest.approx(expected, abs=5e-9)


def test_rho_is_tuned_as_published():
    assert math.sqrt(rule().rho_squared) == pytest.approx(0.03984006677, abs=5e-12)
    assert math.sqrt(rule("greater").rho_squared) == pytest.approx(0.03557768853, abs=5e-12)


@pytest.mark.parametrize("n", [50, 500, 5_000, 50_000, 5_000_000])
def test_the_bound_is_where_the_integrated_mixture_reaches_one_over_alpha(n):
    """∫ exp(λS − λ²n/2) dN(λ; 0, ρ²) = 1/α, solved numerically for S (Robbins 1970)."""
    rho = 0.03984006677137368
    spread = 1 / math.sqrt(n + 1 / rho**2)

    def log_mixture(total):
        peak = total * spread**2
        scale = total * peak - peak**2 * (n + 1 / rho**2) / 2

        def density(x):
            at = peak + x
            return math.exp(at * total - at**2 * (n + 1 / rho**2) / 2 - scale)

        area = quad(density, -12 * spread, 12 * spread, epsabs=0, epsrel=1e-13)[0]
        return scale + math.log(area / (rho * math.sqrt(2 * math.pi)))

    total = brentq(lambda s: log_mixture(s) - math.log(20), 0.01, 20 * math.sqrt(n), xtol=1e-12)
    assert rule().critical(math.inf, n) == pytest.approx(total / math.sqrt(n), abs=1e-10)


@given(st.floats(-8, 8), st.integers(10, 10**7), st.sampled_from(["two-sided", "greater", "less"]))
def test_the_p_value_is_the_level_at_which_the_interval_touches_zero(score, n, alternative):
    p_value = rule(alternative).p_value(score, math.inf, n)
    if 1e-12 < p_value < 1:
        touching = AlwaysValid(p_value, alternative, 5_000, 0.05).critical(math.inf, n)
        assert touching == pytest.approx(abs(score), rel=1e-6)


def test_one_sided_needs_less_than_two_sided():
    assert rule("greater").critical(math.inf, 5_000) < rule().critical(math.inf, 5_000)


def test_few_successes_keep_the_score_interval():
    effect = compare(Proportion(500, 2), Proportion(500, 30), method="always_valid")
    assert (effect.method, effect.horizon) == ("newcombe", "always_valid")
    assert (effect.absolute_ci[0] > 0) == (effect.p_value < 0.05) == (effect.relative_ci[0] > 0)
