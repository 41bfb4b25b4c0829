"""Expected figures: the MineThatData e-mail challenge of 2008 (64,000 customers, three groups), analysed by
other tools; scipy and statsmodels; published examples by hand."""

import math
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from experiments.stats import Mean, Note, Obstacle, Proportion, compare, obstacle


def mean_of(n, total, deviation):
    return Mean(n=n, sum=total, sum_squares=deviation**2 * (n - 1) + total**2 / n)


NONE = {
    "visit": Proportion(21_306, 2_262),
    "conversion": Proportion(21_306, 122),
    "spend": mean_of(21_306, 13_908.33, 11.58819968),
}
MENS = {
    "visit": Proportion(21_307, 3_894),
    "conversion": Proportion(21_307, 267),
    "spend": mean_of(21_307, 30_311.69, 17.75420510),
}
WOMENS = {
    "visit": Proportion(21_387, 3_238),
    "conversion": Proportion(21_387, 189),
    "spend": mean_of(21_387, 23_038.11, 15.11610647),
}
HILLSTROM = [
    (MENS, "visit", 0.07658956, (0.0699533, 0.0832258), 2.7e-113, 0.72140462),
    (MENS, "conversion", 0.00680501, (0.00500011, 0.0086099), 1.5e-13, 1.18842188),
    (MENS, "spend", 0.76982716, (0.48513973, 1.05451458), 1.16e-7, 1.17928877),
    (WOMENS, "visit", 0.04523311, (0.0388936, 0.0515726), 1.9e-44, 0.42605507),
    (WOMENS, "conversion", 0.00311106, (0.00149863, 0.00472348), 1.56e-4, 0.54331304),
    (WOMENS, "spend", 0.42441222, (0.16895679, 0.67986764), 0.00112940, 0.65015186),
]


@pytest.mark.parametrize(("arm", "metric", "absolute", "interval", "p_value", "relative"), HILLSTROM)
def test_the_email_challenge_is_reproduced(arm, metric, absolute, interval, p_value, relative):
    effect = compare(NONE[metric], arm[metric])
    assert effect.absolute == pytest.approx(absolute, abs=6e-9)
    assert effect.absolute_ci == pytest.approx(interval, abs=6e-8)
    assert effect.relative == pytest.approx(relative, abs=6e-9)
    # The published ones are rounded, and the smallest is from the normal instead of the t distribution.
    assert math.log10(effect.p_value) == pytest.approx(math.log10(p_value), rel=0.01)
    assert effect.method == "welch"
    assert effect.notes == ()
    assert effect.relative_ci[0] > 0


def test_the_relative_interval_is_fiellers():
    """Womens conversion by hand: a = 0.005726, b = 0.008837, t = 1.9600, errors 0.00051692 and 0.00063996."""
    a, b, t = 122 / 21_306, 189 / 21_387, scipy_stats.t.ppf(0.975, 40_000)
    spread_a, spread_b = a * (1 - a) / 21_306, b * (1 - b) / 21_387
    g = t**2 * spread_a / a**2
    half = t / a * math.sqrt(spread_b + (b / a) ** 2 * spread_a - g * spread_b)
    by_textbook = [(b / a - half) / (1 - g) - 1, (b / a + half) / (1 - g) - 1]
    assert compare(NONE["conversion"], WOMENS["conversion"]).relative_ci == pytest.approx(
        by_textbook, rel=1e-5
    )


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_means_agree_with_scipy_and_statsmodels(alternative):
    control, treatment = [1.0, 4.0, 2.0, 8.0, 5.0], [9.0, 3.0, 7.0, 12.0, 8.0, 6.5, 11.0]
    effect = compare(from_values(control), from_values(treatment), alternative=alternative, alpha=0.1)
    oracle = scipy_stats.ttest_ind(treatment, control, equal_var=False, alternative=alternative)
    assert effect.p_value == pytest.approx(oracle.pvalue, rel=1e-10)
    low, high = oracle.confidence_interval(0.9)
    expected = tuple(bound if math.isfinite(bound) else None for bound in (low, high))
    assert effect.absolute_ci == pytest.approx(expected)
    if alternative == "two-sided":
        both = CompareMeans(DescrStatsW(treatment), DescrStatsW(control))
        assert effect.absolute_ci == pytest.approx(both.tconfint_diff(0.1, usevar="unequal"))


def test_tiny_p_values_do_not_vanish():
    effect = compare(Proportion(1_000_000, 100_000), Proportion(1_000_000, 110_000))
    assert 0 < effect.p_value < 1e-100


@pytest.mark.parametrize(
    ("control", "treatment"), [((20, 3), (25, 9)), ((50, 0), (48, 4)), ((10, 10), (12, 9))]
)
def test_few_successes_are_judged_by_newcombes_score_interval(control, treatment):
    effect = compare(Proportion(*control), Proportion(*treatment))
    oracle = confint_proportions_2indep(
        treatment[1], treatment[0], control[1], control[0], method="newcomb", compare="diff"
    )
    assert effect.method == "newcombe"
    assert Note.SMALL_COUNTS in effect.notes
    assert effect.absolute_ci == pytest.approx(oracle, abs=1e-9)


def test_newcombes_own_example_is_met():
    """Newcombe (1998), table II: 56/70 against 48/80, method 10: 0.0524 to 0.3339."""
    from experiments.stats import mover

    bounds = mover.difference(Proportion(80, 48), Proportion(70, 56), 1.959963985)
    assert bounds == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_control_without_buyers_gives_no_ratio_but_an_effect():
    effect = compare(Proportion(400, 0), Proportion(400, 12))
    assert effect.absolute == 0.03
    assert effect.relative is None
    assert effect.relative_ci[1] is None
    assert effect.relative_ci[0] > 0
    assert Note.CONTROL_NEAR_ZERO in effect.notes
    assert effect.p_value < 0.05


def test_a_control_mean_not_clear_of_zero_leaves_the_ratio_without_upper_bound():
    control, treatment = mean_of(100, 10.0, 1.0), mean_of(100, 80.0, 1.0)
    effect = compare(control, treatment)
    assert effect.p_value < 0.05
    assert effect.relative == pytest.approx(7.0)
    low, high = effect.relative_ci
    assert low > 0
    assert high is None
    assert effect.notes == (Note.CONTROL_NEAR_ZERO,)


def test_what_cannot_be_computed_is_none_with_its_reason():
    nobody, one, same = Mean(0, 0, 0), Mean(1, 5, 25), Mean(9, 0, 0)
    for control, treatment, reason in [
        (nobody, same, Obstacle.TOO_FEW_CUSTOMERS),
        (same, one, Obstacle.TOO_FEW_CUSTOMERS),
        (same, same, Obstacle.NO_VARIATION),
        (Proportion(1, 1), Proportion(9, 1), Obstacle.TOO_FEW_CUSTOMERS),
    ]:
        assert obstacle(control, treatment) is reason
        assert compare(control, treatment) is None


def test_nonsense_is_refused():
    with pytest.raises(TypeError):
        compare(Proportion(10, 1), Mean(10, 1, 1))
    with pytest.raises(ValueError, match="alpha"):
        compare(Proportion(10, 1), Proportion(10, 1), alpha=5)
    with pytest.raises(ValueError, match="alternative"):
        compare(Proportion(10, 1), Proportion(10, 1), alternative="bigger")


def from_values(values):
    numbers = [Decimal(str(value)) for value in values]
    return Mean(len(numbers), sum(numbers), sum(number * number for number in numbers))


def shares():
    return st.integers(2, 3_000).flatmap(lambda n: st.builds(Proportion, st.just(n), st.integers(0, n)))


def means():
    return st.lists(st.integers(0, 500), min_size=2, max_size=30).map(from_values)


def pairs():
    return st.one_of(st.tuples(shares(), shares()), st.tuples(means(), means()))


def excludes_zero(bounds):
    low, high = bounds
    return (low is not None and low > 0) or (high is not None and high < 0)


@given(pairs(), st.sampled_from([0.01, 0.05, 0.2]), st.sampled_from(["two-sided", "greater", "less"]))
def test_interval_and_p_value_and_ratio_give_one_verdict(pair, alpha, alternative):
    effect = compare(*pair, alpha=alpha, alternative=alternative)
    assume(effect is not None and abs(effect.p_value - alpha) > 1e-7)
    significant = effect.p_value < alpha
    assert excludes_zero(effect.absolute_ci) == significant
    if effect.relative_ci is not None:
        assert excludes_zero(effect.relative_ci) == significant
    if effect.relative is not None:
        assert math.copysign(1, effect.relative) == math.copysign(1, effect.absolute) or effect.relative == 0


@given(pairs(), st.sampled_from([0.05, 0.2]))
def test_swapping_sides_mirrors_the_effect(pair, alpha):
    effect, mirrored = compare(*pair, alpha=alpha), compare(*reversed(pair), alpha=alpha)
    assume(effect is not None)
    low, high = mirrored.absolute_ci
    assert effect.absolute == pytest.approx(-mirrored.absolute)
    assert effect.absolute_ci == pytest.approx((-high, -low), abs=1e-12)
    assert effect.p_value == pytest.approx(mirrored.p_value, rel=1e-6)


@given(pairs())
def test_a_wider_promise_gives_a_wider_interval_around_the_same_effect(pair):
    narrow, wide = compare(*pair, alpha=0.1), compare(*pair, alpha=0.01)
    assume(narrow is not None)
    assert wide.absolute_ci[0] <= narrow.absolute_ci[0] <= narrow.absolute + 1e-12
    assert wide.absolute_ci[1] >= narrow.absolute_ci[1] >= narrow.absolute - 1e-12
