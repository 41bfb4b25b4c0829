"""Planned looks: published bounds, exact integrals, and the promise kept in simulation."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm

from experiments.stats import Mean, compare, plan_looks, watch
from experiments.stats.crossing import crossing_chances
from experiments.stats.looks import boundary, repeated_p_value


@pytest.mark.parametrize(
    "published",
    [
        [2.772921, 2.347234, 2.061864],
        [2.955167, 2.559321, 2.300814, 2.091913],
        [3.090232, 2.714078, 2.472737, 2.279811, 2.113968],
    ],
)
def test_quadratic_spending_meets_the_published_bounds(published):
    """spotify-confidence; it integrates on a grid, whose error of up to 6e-5 the next test shows."""
    bounds = [look.boundary for look in plan_looks(len(published), spending="quadratic").looks]
    assert bounds == pytest.approx(published, abs=1e-4)


def test_the_second_bound_spends_exactly_what_is_allowed():
    """The correlation of two looks of three is √½; the double integral by quadrature."""
    first, second, _ = (look.boundary for look in plan_looks(3, spending="quadratic").looks)
    root = math.sqrt(0.5)
    stays = quad(
        lambda z: norm.pdf(z) * (ndtr((second - root * z) / root) - ndtr((-second - root * z) / root)),
        -first,
        first,
        epsabs=1e-13,
    )[0]
    assert first == pytest.approx(norm.isf(0.05 / 18), abs=1e-12)
    assert 1 - 2 * ndtr(-first) - stays == pytest.approx(0.05 * (4 - 1) / 9, abs=1e-12)


def test_obrien_fleming_and_pocock_meet_published_bounds():
    """Lan-DeMets bounds of five equal looks as in R's gsDesign and ldbounds (.025 on each side)."""
    obrien = [look.boundary for look in plan_looks(5).looks]
    assert obrien == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=1e-3)
    pocock = [look.boundary for look in plan_looks(5, spending="pocock").looks]
    assert pocock == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=1.5e-3)


def test_peeking_at_a_fixed_test_errs_as_often_as_published():
    """Armitage, McPherson and Rowe (1969), table 2: 5 looks .142, 10 looks .193, 20 looks .248."""
    for looks, published in [(5, 0.142), (10, 0.193), (20, 0.248)]:
        assert watch("fixed", looks=looks).false_alarms == pytest.approx(published, abs=6e-4)


def test_twenty_looks_keep_the_promise_and_nearly_the_power():
    planned, anytime = watch("group_sequential"), watch("always_valid")
    assert planned.false_alarms == pytest.approx(0.05, abs=1e-9)
    assert anytime.false_alarms < 0.05
    assert planned.final_boundary == pytest.approx(2.0, abs=0.13)
    assert 0.77 < planned.power < planned.fixed_power
    assert anytime.power < planned.power


def test_simulated_batches_raise_false_alarms_as_seldom_as_promised():
    random = np.random.default_rng(7)
    looks, runs = 20, 20_000
    walk = np.cumsum(random.standard_normal((runs, looks)), axis=1) / np.sqrt(np.arange(1, looks + 1))
    for spending in ("obrien_fleming", "pocock", "quadratic"):
        bounds = [look.boundary for look in plan_looks(looks, spending=spending).looks]
        ever = (np.abs(walk) > bounds).any(axis=1).mean()
        assert ever == pytest.approx(0.05, abs=0.0045)  # three standard errors


def test_power_of_a_single_look_is_the_textbooks():
    plan = plan_looks(1)
    assert plan.looks[0].boundary == pytest.approx(1.959963985)
    assert plan.drift(0.8) == pytest.approx(1.959963985 + 0.841621234, abs=1e-5)


def test_past_bounds_stay_when_later_looks_change():
    planned = plan_looks([0.2, 0.5, 1.0])
    seen = plan_looks([0.2, 0.6, 1.0], information=[0.2, 0.55, 1.1])
    assert seen.looks[0].boundary == planned.looks[0].boundary


def test_crossing_either_way_adds_up_to_the_normal_tail_at_one_look():
    assert crossing_chances([1.96], [1.0], drift=2.0) == pytest.approx([ndtr(0.04) + ndtr(-3.96)])
    assert crossing_chances([1.645], [1.0], two_sided=False) == pytest.approx([ndtr(-1.645)])


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock", "quadratic"])
@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_the_repeated_p_value_and_the_interval_decide_alike(spending, alternative):
    plan = plan_looks(4, spending=spending, alternative=alternative)
    for look in range(1, 5):
        bound = boundary(plan, look, alpha=0.05)
        assert repeated_p_value(plan, look, bound) == pytest.approx(0.05, rel=1e-5)
        assert repeated_p_value(plan, look, bound + 0.2) < 0.05 < repeated_p_value(plan, look, bound - 0.2)


def test_an_effect_at_a_planned_look_has_the_repeated_interval():
    control, treatment = Mean(5_000, 5_000, 10_000), Mean(5_000, 5_300, 11_000)
    plan = plan_looks(4)
    effect = compare(control, treatment, method="group_sequential", plan=plan, look=4)
    plain = compare(control, treatment)
    widening = (effect.absolute_ci[1] - effect.absolute) / (plain.absolute_ci[1] - plain.absolute)
    assert widening == pytest.approx(plan.looks[3].boundary / 1.959963985, rel=1e-3)
    assert (effect.p_value < 0.05) == (effect.absolute_ci[0] > 0) == (effect.relative_ci[0] > 0)
    assert effect.horizon == "group_sequential"


def test_nonsense_is_refused():
    control = Mean(10, 5, 9)
    with pytest.raises(ValueError, match="one after the other"):
        plan_looks([0.5, 0.5])
    with pytest.raises(ValueError, match="unknown way"):
        plan_looks(3, spending="all")
    with pytest.raises(ValueError, match="counted from 1"):
        compare(control, control, method="group_sequential", plan=plan_looks(2), look=3)
    with pytest.raises(ValueError, match="needs a plan"):
        compare(control, control, method="group_sequential")
    with pytest.raises(ValueError, match="another alternative"):
        compare(control, control, method="group_sequential", plan=plan_looks(2), look=1, alternative="less")
