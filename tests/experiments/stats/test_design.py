import pytest
from statsmodels.stats.power import NormalIndPower

from experiments.stats import minimum_detectable_effect, plan_looks, power, runtime_days, sample_size


@pytest.mark.parametrize("ratio", [1.0, 9.0])
def test_size_power_and_detectable_effect_agree_with_statsmodels(ratio):
    variance, effect = 0.01 * 0.99, 0.002
    standardized = effect / variance**0.5
    oracle = NormalIndPower()
    n = sample_size(variance=variance, effect=effect, ratio=ratio)
    needed = oracle.solve_power(standardized, power=0.8, alpha=0.05, ratio=ratio)
    assert n == pytest.approx(needed, abs=1.01)
    assert power(variance=variance, effect=effect, n_control=5_000, ratio=ratio) == pytest.approx(
        oracle.power(standardized, 5_000, 0.05, ratio)
    )
    assert minimum_detectable_effect(variance=variance, n_control=n, ratio=ratio) == pytest.approx(
        effect, rel=1e-3
    )


def test_no_effect_is_found_as_often_as_alpha_says():
    assert power(variance=4, effect=0, n_control=100) == pytest.approx(0.05)


def test_an_effect_of_nothing_has_no_sample_size():
    with pytest.raises(ValueError, match="effect of 0"):
        sample_size(variance=1, effect=0)


def test_one_sided_and_unlike_variances_agree_with_statsmodels():
    from statsmodels.stats.power import NormalIndPower, normal_sample_size_one_tail

    n = sample_size(variance=4.0, effect=0.5, alternative="greater")
    needed = NormalIndPower().solve_power(0.25, power=0.8, alpha=0.05, alternative="larger")
    assert n == pytest.approx(needed, abs=1.01)
    unlike = sample_size(variance=4.0, treated_variance=9.0, effect=0.5)
    total = normal_sample_size_one_tail(0.5, 0.8, 0.025, std_null=13**0.5, std_alternative=13**0.5)
    assert unlike == pytest.approx(total, abs=1.01)


def test_covariates_save_their_share_of_the_customers():
    plain = sample_size(variance=4.0, effect=0.1)
    assert sample_size(variance=4.0, effect=0.1, variance_reduction=0.4) == pytest.approx(
        0.6 * plain, rel=1e-3
    )


@pytest.mark.parametrize("method", ["fixed", "group_sequential", "always_valid"])
def test_size_power_and_detectable_effect_fit_together(method):
    options = {"method": method, "plan": plan_looks(5) if method == "group_sequential" else None}
    n = sample_size(variance=4.0, effect=0.2, ratio=3.0, **options)
    assert power(variance=4.0, effect=0.2, n_control=n, ratio=3.0, **options) == pytest.approx(0.8, abs=2e-3)
    found = minimum_detectable_effect(variance=4.0, n_control=n, ratio=3.0, **options)
    assert found == pytest.approx(0.2, rel=3e-3)


def test_planned_looks_cost_as_much_as_published():
    """Jennison and Turnbull (2000), chapter 7: five O'Brien-Fleming-type looks, power .8: about 1.028."""
    plain = sample_size(variance=4.0, effect=0.1)
    planned = sample_size(variance=4.0, effect=0.1, method="group_sequential", plan=plan_looks(5))
    assert planned / plain == pytest.approx(1.028, abs=0.006)


def test_days_follow_from_daily_customers():
    assert runtime_days(1_000, daily_customers=300, ratio=2.0) == 10
    with pytest.raises(ValueError, match="never ends"):
        runtime_days(10, daily_customers=0)
