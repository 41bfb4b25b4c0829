"""Rates and quantiles against statsmodels and scipy."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import quantile_test
from statsmodels.stats.rates import confint_poisson, confint_poisson_2indep

from experiments.stats import Count, Obstacle, Quantile, compare, mover, obstacle


@pytest.mark.parametrize(("events", "exposure"), [(0, 10.0), (3, 50.0), (400, 1_000.0)])
def test_the_limits_of_a_rate_are_the_score_limits(events, exposure):
    oracle = confint_poisson(events, exposure, method="score")
    assert mover.limits(Count(9, events, exposure), 1.959963984540054) == pytest.approx(oracle, abs=1e-12)


@pytest.mark.parametrize(("control", "treatment"), [((8, 100.0), (19, 120.0)), ((300, 1e4), (350, 1e4))])
def test_difference_and_ratio_of_rates_agree_with_statsmodels(control, treatment):
    effect = compare(Count(100, *control), Count(100, *treatment))
    for compared, ours in (("diff", effect.absolute_ci), ("ratio", effect.relative_ci)):
        low, high = confint_poisson_2indep(
            *treatment, *control, method="mover", compare=compared, method_mover="score"
        )
        shift = 1 if compared == "ratio" else 0
        assert ours == pytest.approx((low - shift, high - shift), abs=1e-9)
    assert effect.method == "poisson_score"


@pytest.mark.parametrize(("level", "n"), [(0.5, 40), (0.9, 200), (0.99, 150)])
def test_the_limits_of_a_quantile_are_those_of_the_binomial_test(level, n):
    values = np.random.default_rng(n).permutation(n)
    found = quantile_test(values, q=0, p=level).confidence_interval(0.95)
    low, high = Quantile.of(values, level=level).limits(1.959963984540054)
    for ours, oracle in ((low, found.low), (high, found.high)):
        assert ours == oracle or (np.isinf(ours) and np.isnan(oracle))


def test_medians_that_differ_clearly_do_so_in_every_number():
    random = np.random.default_rng(5)
    sides = [Quantile.of(np.round(random.lognormal(shift, 1, 2_000), 2), level=0.5) for shift in (3.0, 3.3)]
    effect = compare(*sides)
    assert effect.p_value < 1e-4
    assert effect.absolute_ci[0] > 0
    assert effect.relative_ci[0] > 0
    assert effect.relative_ci[0] < np.exp(0.3) - 1 < effect.relative_ci[1]


def test_equal_medians_are_found_different_as_seldom_as_promised():
    random, alarms, runs = np.random.default_rng(6), 0, 400
    for _ in range(runs):
        sides = [Quantile.of(random.lognormal(3, 1, 200).round(2), level=0.5) for _ in range(2)]
        alarms += compare(*sides).p_value < 0.05
    assert alarms / runs < 0.075


def test_quantiles_add_up_and_mind_their_level():
    one, other = Quantile.of([1, 2, 2], level=0.5), Quantile.of([2, 5], level=0.5)
    assert one + other == Quantile.of([1, 2, 2, 2, 5], level=0.5)
    with pytest.raises(ValueError, match="levels"):
        compare(one, Quantile.of([1, 2], level=0.9))
    with pytest.raises(ValueError, match="ascending"):
        Quantile(0.5, ((2, 1), (1, 1)))
    assert obstacle(Quantile.of([0, 0], level=0.5), Quantile.of([0, 0], level=0.5)) is Obstacle.NO_VARIATION


def test_rates_without_exposure_have_no_effect():
    assert obstacle(Count(5, 0, 0), Count(5, 2, 10)) is Obstacle.NO_DENOMINATOR
    assert Count(5, 1, 10) + Count(5, 2, 20) == Count(10, 3, 30)


COUNTS = st.builds(Count, st.just(50), st.integers(0, 60), st.integers(20, 90))
SETS = st.lists(st.integers(0, 30), min_size=2, max_size=60).map(lambda v: Quantile.of(v, level=0.5))


@given(st.one_of(st.tuples(COUNTS, COUNTS), st.tuples(SETS, SETS)))
def test_rates_and_quantiles_give_one_verdict(pair):
    effect = compare(*pair)
    assume(effect is not None and abs(effect.p_value - 0.05) > 1e-6)
    for bounds in (effect.absolute_ci, effect.relative_ci):
        if bounds is not None:
            low, high = bounds
            excluded = (low is not None and low > 0) or (high is not None and high < 0)
            assert excluded == (effect.p_value < 0.05)
