import pytest

from personalization.customers.errors import InvalidTraits
from personalization.customers.trait_rules import TraitRule, fits, suggest


@pytest.mark.parametrize(
    ("value_type", "value", "stored"),
    [
        ("number", "42", 42), ("number", "1.234,56", 1234.56), ("number", "99,9", 99.9),
        ("number", 1.50, 1.5), ("number", " -3.25 ", -3.25), ("whole", 7.0, 7),
        ("yes_no", "Yes", True), ("yes_no", 0, False), ("yes_no", False, False),
        ("date", "2026-03-01", "2026-03-01"), ("time", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00:00Z"),
        ("time", "2026-03-01", "2026-03-01T00:00:00Z"), ("text", 4711.0, "4711"), ("text", " a ", "a"),
        ("list", "tea|coffee", ["tea", "coffee"]), ("list", ["tea", 1], ["tea", "1"]),
    ],
)  # fmt: skip
def test_the_same_value_in_many_spellings_is_stored_as_its_type(value_type, value, stored):
    found = TraitRule("x", value_type).check(value)
    assert (found, type(found)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("value_type", "value"),
    [
        ("number", "12 apples"), ("number", True), ("number", float("nan")), ("number", "1e5"),
        ("whole", "1.5"), ("yes_no", "perhaps"), ("yes_no", 2), ("yes_no", 1.0), ("date", "01.03.2026"),
        ("date", 20260301), ("date", "2026-02-30"), ("time", "noon"), ("text", {"a": 1}), ("text", True),
        ("list", 5), ("list", [["nested"]]), ("text", "x" * 5001),
    ],
)  # fmt: skip
def test_what_cannot_be_read_as_the_type_is_refused_without_repeating_it(value_type, value):
    with pytest.raises(InvalidTraits) as refused:
        TraitRule("x", value_type).check(value)
    assert refused.value.detail
    assert str(value)[:8] not in refused.value.detail


def test_allowed_values_and_ranges_hold():
    plan = TraitRule("plan", allowed=("free", "gold"))
    assert fits(plan, ["free", "gold", "Gold", "", "free "]) == 3
    assert fits(TraitRule("tags", "list", allowed=("a", "b")), [["a"], ["a", "c"], []]) == 2
    assert fits(TraitRule("age", "whole", minimum=0, maximum=120), [-1, 0, 120, 121, "33"]) == 3
    assert fits(TraitRule("code", minimum=2, maximum=3), ["a", "ab", "abc", "abcd"]) == 2


@pytest.mark.parametrize(
    ("values", "value_type", "allowed"),
    [
        ([True, False, True], "yes_no", ()),
        (["1", "2", 3], "whole", ()),
        ([0, 1, 1, 0], "whole", ()),
        ([1.5, "2", 3], "number", ()),
        (["2026-03-01", "2025-01-31"], "date", ()),
        (["2026-03-01T09:00:00Z", "2026-03-02T09:00:00+02:00"], "time", ()),
        ([["a"], ["b", "c"]], "list", ()),
        (["free"] * 6 + ["gold"] * 5, "text", ("free", "gold")),
        (["free"] * 6 + ["gold"] * 4, "text", ()),
        ([f"name {n}" for n in range(30)], "text", ()),
        (["7"] * 19 + ["seven"], "whole", ()),  # 95 % fit
        (["7"] * 18 + ["seven"], "text", ()),
    ],
)
def test_a_type_is_suggested_from_real_values(values, value_type, allowed):
    rule = suggest("x", values)
    assert rule is not None
    assert (rule.value_type, rule.allowed) == (value_type, allowed)


def test_nothing_is_suggested_for_values_without_a_common_type():
    assert suggest("x", []) is None
    assert suggest("x", [{"a": 1}, [1], "b"]) is None
