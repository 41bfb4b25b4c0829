"""The lab: few and seeded runs here; docs/experiment-plans.md names the command for the full figures."""

import json
import math

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from experiments.decisions import Criteria, Method, weigh
from experiments.outlooks import lab
from experiments.outlooks.outlook import Doubt, Groups, look_ahead
from experiments.stats import Mean, compare

RNG = np.random.default_rng(4)
SPEND = np.where(RNG.random(5000) < 0.1, RNG.exponential(40, 5000), 0.0)


def test_a_division_is_judged_as_compare_judges_it() -> None:
    batches = list(lab.divisions(SPEND, per_arm=400, runs=60, seed=3))
    directions = [0, 0]
    for control, treated in batches:
        for one, other in zip(control, treated, strict=True):
            effect = compare(
                Mean(400, float(one.sum()), float((one**2).sum())),
                Mean(400, float(other.sum()), float((other**2).sum())),
                alpha=0.2,
            )
            directions[0] += effect.absolute_ci[0] > 0
            directions[1] += effect.absolute_ci[1] < 0
    found = lab.try_method(SPEND, per_arm=400, runs=60, seed=3, method="fixed", alpha=0.2)
    assert [found.up * 60, found.down * 60] == pytest.approx(directions)


def test_nobody_is_in_a_division_twice() -> None:
    ((control, treated),) = lab.divisions(np.arange(20.0), per_arm=10, runs=1, seed=0)
    assert sorted([*control[0], *treated[0]]) == list(range(20))


def test_peeking_at_a_fixed_test_breaks_its_promise_and_the_other_methods_keep_it() -> None:
    size = {"per_arm": 2000, "runs": 1500, "seed": 1, "looks": 20}
    assert lab.try_method(SPEND, method="fixed", **size).rate > 0.15
    for method in ("always_valid", "group_sequential"):
        assert lab.try_method(SPEND, method=method, **size).rate <= 0.05 + 2 * 0.0056


@pytest.mark.parametrize("method", [Method.GROUP_SEQUENTIAL, Method.ALWAYS_VALID])
def test_the_rules_name_a_false_winner_in_at_most_one_of_twenty_tests(method) -> None:
    criteria = lab.winner_criteria(method, 20)
    found = lab.count_winners(SPEND, criteria, per_arm=500, runs=60, seed=2, looks=20)
    assert found.rate <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 60)


def test_quick_weighing_gives_the_interval_of_weighing() -> None:
    criteria = lab.winner_criteria(Method.GROUP_SEQUENTIAL, 4)
    sums = {"metric": {"a": Mean(300, 120, 4000), "b": Mean(300, 180, 5000)}}
    (slow,), quick = weigh(criteria, sums, look=2), lab.weigh_quickly(criteria, sums, look=2)
    assert quick.effect.absolute_ci == pytest.approx(slow.effect.absolute_ci, rel=1e-9)


def plan(**changes):
    fields = {
        "metric": "m", "direction": "up", "baseline": "a", "method": Method.FIXED, "looks": (1.0,),
        "length_days": 14, "min_days": 0, "minimum_effect": 0.2,
    }  # fmt: skip
    return Criteria(**{**fields, **changes})


def test_the_smallest_change_of_a_share_is_the_textbooks() -> None:
    """p = .1 against .12, power .8, alpha .05: 7.849 · (.09 + .1056) / .02² = 3,839 a side."""
    values = np.repeat([1.0, 0.0], [1000, 9000])
    found = look_ahead(values[:, None], [14.0], criteria=plan(), groups=Groups(3839, (3839,)))
    assert found.detectable == pytest.approx(0.2, abs=0.001)
    assert found.customers_needed == pytest.approx(2 * 3839, rel=0.002)
    assert found.power_for_wanted == pytest.approx(0.8, abs=0.002)


def test_what_is_promised_is_found_in_groups_drawn_from_the_past() -> None:
    for method, looks in ((Method.FIXED, (1.0,)), (Method.GROUP_SEQUENTIAL, (0.5, 1.0))):
        criteria = plan(method=method, looks=looks)
        found = look_ahead(SPEND[:, None], [14.0], criteria=criteria, groups=Groups(3000, (3000,)))
        assert found.resampled_power == pytest.approx(0.8, abs=0.07)


def test_a_longer_test_is_offered_when_it_suffices() -> None:
    longer = np.column_stack([SPEND, SPEND + RNG.permutation(SPEND) + RNG.permutation(SPEND) + 5])
    found = look_ahead(longer, [14.0, 56.0], criteria=plan(), groups=Groups(5000, (5000,)))
    assert found.detectable > 0.2
    assert found.days_needed == 56


def test_doubts_are_said_instead_of_a_number() -> None:
    groups = Groups(50, (50,))
    assert look_ahead(np.empty((0, 1)), [14.0], criteria=plan(), groups=groups) is Doubt.NO_HISTORY
    few = np.repeat([1.0, 0.0], [5, 500])[:, None]
    assert look_ahead(few, [14.0], criteria=plan(), groups=groups) is Doubt.TOO_FEW
    assert look_ahead(few, [14.0], criteria=plan(), groups=Groups(0, (5,))) is Doubt.NO_CUSTOMERS


def test_the_command_reads_a_column_of_a_file(tmp_path, capsys) -> None:
    path = tmp_path / "spend.csv"
    path.write_text("arm,spend\n" + "".join(f"none,{value}\nother,7\n" for value in SPEND))
    call_command(
        "aa_lab", csv=path, column="spend", where=["arm=none"], per_arm=500, runs=50, winners=True, json=True
    )
    found = json.loads(capsys.readouterr().out)
    assert (found["customers"], found["mean"]) == (5000, pytest.approx(SPEND.mean()))
    assert set(found["winners"]) == {"group_sequential", "always_valid"}
    call_command("aa_lab", csv=path, column="spend", where=["arm=none"], per_arm=500, runs=50)
    assert "planned looks, 20 looks" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"csv": "nowhere.csv", "column": "x"}, "cannot be read"),
        ({"csv": "here.csv", "column": "y"}, "no column “y”; it has: x"),
        ({"csv": "here.csv", "column": "x"}, "must hold numbers"),
        ({"csv": "here.csv"}, "--column"),
        ({"csv": "here.csv", "column": "x", "per_arm": 3}, "two customers"),
        ({"csv": "here.csv", "column": "x", "alpha": 7.0}, "alpha"),
    ],
)
def test_the_command_says_what_to_do_instead(tmp_path, options, says) -> None:
    (tmp_path / "here.csv").write_text("x\nmuch\n")
    with pytest.raises(CommandError, match=says):
        call_command("aa_lab", **{**options, "csv": tmp_path / options["csv"]})


@pytest.mark.django_db
def test_an_unknown_metric_is_named_with_those_there_are() -> None:
    with pytest.raises(CommandError, match="Name a metric"):
        call_command("aa_lab", "nothing")
