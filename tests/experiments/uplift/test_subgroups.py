import math

import numpy as np
import pytest
from scipy import stats

from experiments.stats import Proportion
from experiments.uplift import compare_subgroups, subgroups_of
from experiments.uplift.subgroups import heterogeneity

SAME = {
    "yes": (Proportion(1000, 100), Proportion(1000, 150)),
    "no": (Proportion(900, 90), Proportion(900, 134)),
}
OTHER = {
    "a": (Proportion(1000, 100), Proportion(1000, 101)),
    "b": (Proportion(1000, 100), Proportion(1000, 200)),
}


def test_two_groups_are_told_apart_by_the_z_of_their_difference():
    test = heterogeneity(OTHER)
    error = math.sqrt((0.1 * 0.9 * 3 - 0.1 * 0.9 + 0.101 * 0.899 + 0.2 * 0.8) / 1000)
    z = (0.1 - 0.001) / error
    assert test.q == pytest.approx(z**2)
    assert test.p_value == pytest.approx(2 * stats.norm.sf(z))
    assert test.degrees == 1


def test_groups_with_one_effect_give_no_evidence_of_a_difference():
    report = compare_subgroups({"newsletter": SAME})
    assert not report.differs
    assert all(level.effect.p_value < 0.01 for level in report.breakdowns[0].levels)


def test_the_p_values_pay_for_every_question_asked():
    report = compare_subgroups({"x": OTHER} | {f"t{i}": SAME for i in range(9)})
    breakdown = report.breakdowns[0]
    assert breakdown.differs
    assert breakdown.adjusted_p == pytest.approx(10 * breakdown.heterogeneity.p_value)
    level = breakdown.levels[1]
    assert level.adjusted_p == pytest.approx(20 * level.effect.p_value)
    assert level.simultaneous.absolute_ci[0] < level.effect.absolute_ci[0]
    assert level.simultaneous.alpha == pytest.approx(0.05 / 20)


def test_benjamini_and_hochberg_claim_more_than_holm():
    groups = {f"t{i}": OTHER for i in range(5)} | {"other": SAME}
    holm, bh = (compare_subgroups(groups, method=method) for method in ("holm", "bh"))
    assert all(
        b.adjusted_p < h.adjusted_p for h, b in zip(holm.breakdowns[:5], bh.breakdowns[:5], strict=True)
    )


def test_a_group_without_anybody_is_shown_without_an_effect():
    report = compare_subgroups({"x": OTHER | {"c": (Proportion(0, 0), Proportion(5, 1))}})
    assert report.breakdowns[0].levels[2].effect is None
    assert report.breakdowns[0].levels[2].adjusted_p is None
    assert report.breakdowns[0].heterogeneity.degrees == 1


def test_a_single_group_cannot_differ():
    report = compare_subgroups({"x": {"all": OTHER["a"]}})
    assert report.breakdowns[0].heterogeneity is None
    assert not report.differs


def test_no_difference_is_claimed_in_nineteen_of_twenty_trials():
    rng, claims = np.random.default_rng(3), 0

    def drawn(rate):
        return Proportion(800, int(rng.binomial(800, rate)))

    for _ in range(60):
        groups = {t: {label: (drawn(0.2), drawn(0.25)) for label in "abc"} for t in "xyz"}
        claims += compare_subgroups(groups).differs
    assert claims <= 8  # 3 expected, deviation 1.7


def test_numbers_are_cut_into_quarters_and_unknown_ones_stand_apart(made_trial):
    trial = made_trial(lambda table: np.ones(len(table)), n=400)
    trial.table.numbers["age"][:10] = np.nan
    groups = subgroups_of(trial)
    sizes = {label: pair[0].n + pair[1].n for label, pair in groups["age"].items()}
    assert sizes.pop("?") == 10
    assert len(sizes) == 4
    assert all(96 <= n <= 99 for n in sizes.values())
    assert set(groups["city"]) == {"Rome", "Oslo", "Lima"}


def test_the_groups_of_the_email_challenge(hillstrom):
    trial, _ = hillstrom("Womens")
    report = {b.trait: b for b in compare_subgroups(subgroups_of(trial)).breakdowns}
    effects = {label.label: label.effect.absolute for label in report["womens"].levels}
    assert effects == pytest.approx({"0": 0.01108, "1": 0.07311}, abs=5e-6)
    assert {label.label: label.effect.absolute for label in report["mens"].levels} == pytest.approx(
        {"0": 0.07399, "1": 0.02175}, abs=5e-6
    )
    assert {trait for trait, breakdown in report.items() if breakdown.differs} == {"mens", "womens"}


def test_nothing_differs_after_the_mens_message(hillstrom):
    trial, _ = hillstrom("Mens")
    assert not compare_subgroups(subgroups_of(trial)).differs
