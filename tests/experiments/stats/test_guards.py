import numpy as np
import pytest
import statsmodels.api as sm

from experiments.stats import (
    Count,
    Mean,
    Proportion,
    Quantile,
    Ratio,
    Standing,
    Trend,
    check_counts,
    check_denominator,
    check_seen_twice,
    non_inferiority,
    novelty,
    sample_ratio_by_stage,
)


def test_the_division_is_judged_at_each_stage_without_those_who_get_no_mail():
    found = sample_ratio_by_stage(
        {
            "assigned": [5_000, 5_010, 4_990],
            "sent": [None, 5_000, 4_980],
            "delivered": [None, 4_900, 4_300],
        },
        [1, 1, 1],
    )
    assert not found["assigned"].mismatch
    assert not found["sent"].mismatch
    assert found["delivered"].mismatch
    assert found["delivered"].expected == (4_600, 4_600)


def test_a_metric_is_refused_when_the_treatment_moves_what_it_divides_by():
    """Twice as many visitors, each spending the same: "spend per visitor" would say that nothing happened."""
    control = Ratio(1_000, 1_000, 4_000, 200, 200, 1_000)
    treatment = Ratio(1_000, 2_000, 8_000, 400, 400, 2_000)
    check = check_denominator(control, treatment)
    assert check.moved
    assert check.effect.absolute == pytest.approx(0.2)
    assert not check_denominator(control, control).moved
    with pytest.raises(TypeError, match="only ratios"):
        check_denominator(Mean(2, 1, 1), Mean(2, 1, 1))


def test_numbers_say_how_many_customers_they_rest_on():
    assert not check_counts(Proportion(500, 4), Proportion(500, 40)).enough
    assert check_counts(Proportion(500, 490), Proportion(500, 40)).enough
    # Ten equal buyers count as ten; one who outspends nine others a hundredfold as little more than 1.
    assert check_counts(Mean(100, 50, 250), Mean(100, 109, 10_009)).control == pytest.approx(10)
    assert check_counts(Mean(100, 50, 250), Mean(100, 109, 10_009)).treatment == pytest.approx(
        1.187, abs=1e-3
    )
    assert check_counts(Count(5, 12, 9), Count(5, 3, 9)).treatment == 3
    assert check_counts(Quantile.of([1, 2], level=0.5), Quantile.of([1, 2], level=0.5)).enough


def test_customers_in_several_variants_are_a_share_with_a_limit():
    assert check_seen_twice(30, 2_000).excessive
    assert not check_seen_twice(10, 2_000).excessive
    assert check_seen_twice(0, 0) is None


def daily(effects):
    return [(Mean(900, 0, 900), Mean(800, 800 * e, 800 + 800 * e * e)) for e in effects]


def test_the_trend_is_that_of_weighted_least_squares():
    effects = [0.5, 0.42, 0.3, 0.31, 0.2, 0.16]
    found = novelty(daily(effects))
    weights = [1 / (900 / 899 / 900 + 800 / 799 / 800)] * 6
    fit = sm.WLS(effects, sm.add_constant(np.arange(6.0)), weights).fit(cov_type="fixed scale")
    assert found.slope == pytest.approx(fit.params[1])
    assert found.p_value == pytest.approx(fit.pvalues[1], rel=1e-6)
    assert found.slope_ci == pytest.approx(tuple(fit.conf_int()[1]), rel=1e-6)
    assert found.trend is Trend.FADING


def test_effects_that_stay_or_grow_are_called_so():
    assert novelty(daily([0.3, 0.31, 0.3, 0.29])).trend is Trend.STEADY
    assert novelty(daily([0.1, 0.3, 0.5, 0.7])).trend is Trend.GROWING
    assert novelty(daily([-0.1, -0.3, -0.5, -0.7])).trend is Trend.GROWING
    assert novelty(daily([0.1, 0.3])) is None


@pytest.mark.parametrize(
    ("treated", "margin", "standing"),
    [
        (205, 0.005, Standing.NOT_INFERIOR),
        (300, 0.005, Standing.INFERIOR),
        (240, 0.005, Standing.CANNOT_TELL),
    ],
)
def test_unsubscribes_are_held_to_a_margin(treated, margin, standing):
    """20,000 customers a side, 1 %: one standard error of the difference is .001 and a bit."""
    control, treatment = Proportion(20_000, 200), Proportion(20_000, treated)
    found = non_inferiority(control, treatment, margin=margin / 2, direction="down")
    assert found.standing is standing
    assert found.effect.absolute_ci[0] is None
    assert found.worst == found.effect.absolute_ci[1]


def test_a_margin_may_be_a_fraction_of_the_control():
    control, treatment = Proportion(20_000, 2_000), Proportion(20_000, 1_980)
    assert non_inferiority(control, treatment, margin=0.1, relative=True).standing is Standing.NOT_INFERIOR
    assert non_inferiority(control, treatment, margin=0.02, relative=True).standing is Standing.CANNOT_TELL
    with pytest.raises(ValueError, match="positive"):
        non_inferiority(control, treatment, margin=0)
