"""Layers, filters, forced ids and roll-outs of one experiment. Expected values by hand from the hashes in
test_assignment, and from the published cases of the GrowthBook specification."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.assignment import (
    NOWHERE,
    Filter,
    Rollout,
    Rule,
    equal_weights,
    hash_fraction,
    hash_fractions,
    namespace_filter,
)

HALVES = (0.5, 0.5)


def test_an_experiment_splits_by_its_seed():
    # customer-1 hashes to .8553 and customer-2 to .7635 with the seed exp-1.
    rule = Rule("exp-1", (0.8, 0.2))
    assert (rule.choose("customer-1"), rule.choose("customer-2")) == (1, 0)


def test_version_1_is_there_for_imports():
    # .352 and .091 with version 1.
    rule = Rule("exp-1", (0.2, 0.8), version=1)
    assert (rule.choose("customer-1"), rule.choose("customer-2")) == (1, 0)


def test_ranges_stand_in_place_of_weights_and_coverage():
    rule = Rule("exp-1", HALVES, coverage=0.1, ranges=((0.8, 0.9), (0.7, 0.8)))
    assert (rule.choose("customer-1"), rule.choose("customer-2")) == (0, 1)


def test_an_empty_id_and_a_forced_one_take_no_part():
    rule = Rule("exp-1", HALVES, forced={"qa": 1})
    assert rule.choose("") == rule.choose("qa") == NOWHERE
    assert rule.choose_each(["", "qa", "customer-1"]).tolist() == [NOWHERE, NOWHERE, 1]


@pytest.mark.parametrize(
    # Published cases: "user 1, namespace1" and "user 2, namespace1" of the specification.
    ("value", "part", "expected"),
    [("1", (0.0, 0.4), False), ("1", (0.4, 1.0), True), ("2", (0.0, 0.4), False), ("2", (0.4, 1.0), True)],
)
def test_a_namespace_hashes_with_version_1(value, part, expected):
    assert namespace_filter("namespace1", part).lets_through(value) is expected
    assert namespace_filter("namespace1", part).lets_through_each([value]).tolist() == [expected]


def test_a_filter_lets_nobody_through_without_an_id():
    assert not Filter("seed", ((0.0, 1.0),)).lets_through("")


def test_a_rollout_holds_its_lower_end_and_not_its_upper():
    # "a" hashes to .0505 with the seed "seed".
    assert not Rollout("seed", 0.0505).takes("a")
    assert Rollout("seed", 0.0506).takes("a")
    assert not Rollout("seed", 0.0).takes("a")
    assert not Rollout("seed").takes("")


def test_a_chance_is_the_number_that_was_meant():
    rule = Rule("seed", weights=[0.1, 0.3, 0.3, 0.3])
    assert [rule.chance(n) for n in range(4)] == [0.1, 0.3, 0.3, 0.3]


def test_chances_add_up_over_layer_coverage_and_weights():
    rule = Rule("x", (0.25, 0.75), coverage=0.5, filters=(Filter("layer:l", ((0.2, 0.6),)),))
    assert rule.chance(0) == pytest.approx(0.4 * 0.5 * 0.25)
    assert rule.chance(1) == pytest.approx(0.4 * 0.5 * 0.75)
    assert sum(map(rule.chance, (0, 1, NOWHERE))) == pytest.approx(1)


def test_no_weights_are_equal_to_nothing():
    assert equal_weights(0) == []
    assert equal_weights(4) == [0.25] * 4


IDS = st.lists(st.text(max_size=10), max_size=20)


@settings(deadline=None)
@given(st.sampled_from([1, 2]), IDS)
def test_many_at_once_are_chosen_as_one_by_one(version, values):
    filters = (Filter("layer:l", ((0.0, 0.7),)), namespace_filter("n", (0.2, 1.0)))
    rule = Rule("s", (0.3, 0.7), coverage=0.9, version=version, filters=filters, forced={"a": 0})
    assert rule.choose_each(values).tolist() == [rule.choose(value) for value in values]
    fractions = hash_fractions("s", values, version=version)
    assert fractions.tolist() == [hash_fraction("s", value, version=version) for value in values]


def test_an_unknown_version_is_no_guess():
    assert Rule("s", HALVES, version=9).choose("a") == NOWHERE
    with pytest.raises(ValueError, match="version 9"):
        hash_fractions("s", ["a"], version=9)


def test_parts_of_a_layer_share_nobody_and_miss_nobody():
    ids = [str(number) for number in range(20_000)]
    first, second = (
        Rule(seed, HALVES, filters=(Filter("layer:page", (part,)),)).choose_each(ids) != NOWHERE
        for seed, part in (("one", (0.0, 0.3)), ("two", (0.3, 1.0)))
    )
    assert not (first & second).any()
    assert (first | second).all()
    assert abs(first.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / len(ids))


def test_an_experiment_in_a_layer_of_the_same_name_still_splits_in_halves():
    ids = [str(number) for number in range(20_000)]
    chosen = Rule("page", HALVES, filters=(Filter("layer:page", ((0.0, 0.5),)),)).choose_each(ids)
    inside = chosen[chosen != NOWHERE]
    assert abs(inside.mean() - 0.5) < 4 * np.sqrt(0.25 / len(inside))
