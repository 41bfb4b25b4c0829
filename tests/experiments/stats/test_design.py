import pytest
from statsmodels.stats.power import NormalIndPower

from experiments.stats import minimum_detectable_effect, power, sample_size


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
