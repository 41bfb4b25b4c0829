"""The language: what is accepted, and that every mistake is named at its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalization.segments.definition import DefinitionError, parse

ONCE = {"event": "A", "is": "at_least", "value": 1}


def mistakes(definition) -> dict[str, str]:
    with pytest.raises(DefinitionError) as caught:
        parse(definition)
    return {problem.pointer: problem.sentence() for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("definition", "pointer", "word"),
    [
        (None, "", "Give a condition"),
        ({}, "", "exactly one"),
        ({"all": [], "any": []}, "", "exactly one"),
        ({"any": []}, "/any", "Add a condition"),
        ({"all": [{"trait": "country", "op": "is", "value": ""}]}, "/all/0/value", "Give a value"),
        ({"trait": "country", "op": "at_least", "value": 3}, "/op", "Give one of"),
        ({"trait": "created_at", "op": "before", "value": "2026-13-01"}, "/value", "Give a date"),
        ({"trait": "a", "op": "is", "value": 1, "oops/": 2}, "/oops~1", "Remove"),
        ({"trait": "a", "op": "at_least", "value": float("nan")}, "/value", "Give a number"),
        ({"trait": "a\0", "op": "exists"}, "/trait", "not valid text"),
        ({"trait": "a", "op": "is", "value": "\ud800"}, "/value", "not valid text"),
        ({"trait": "a", "op": "between", "value": [3, 1]}, "/value", "swap"),
        ({"event": "", "is": "at_least", "value": 1}, "/event", "Choose an event"),
        ({"event": "A", "op": "median", "is": "at_least", "value": 1}, "/op", "Give one of"),
        ({"event": "A", "op": "sum", "of": "items", "is": "at_least", "value": 1}, "/of", "property"),
        ({**ONCE, "window": {"last_days": 0}}, "/window/last_days", "days"),
        ({**ONCE, "window": {"last_days": 3, "before_days": 9}}, "/window", "earlier"),
        ({**ONCE, "where": [{"field": "name", "op": "exists"}]}, "/where/0/field", "value"),
        ({"event": "A", "op": "last", "is": "at_least", "value": 1}, "/is", "Give one of"),
        ({"ratio": [{"event": "A"}], "is": "at_least", "value": 1}, "/ratio", "two"),
        ({"segment": True}, "/segment", "number"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_at_its_place_with_what_to_do(definition, pointer, word) -> None:
    found = mistakes(definition)
    assert word in found[pointer]


def test_all_mistakes_are_found_in_one_pass() -> None:
    wrong = {"trait": "", "op": "is", "value": "x"}
    assert set(mistakes({"all": [wrong, {"any": [wrong]}]})) == {"/all/0/trait", "/all/1/any/0/trait"}


def test_depth_and_size_are_limited() -> None:
    leaf = {"trait": "a", "op": "exists"}
    deep = leaf
    for _ in range(20):
        deep = {"not": deep}
    assert any("deep" in sentence for sentence in mistakes(deep).values())
    assert any("at most" in sentence for sentence in mistakes({"all": [leaf] * 500}).values())


KEYS = [
    "all",
    "any",
    "not",
    "trait",
    "event",
    "ratio",
    "op",
    "is",
    "value",
    "window",
    "where",
    "of",
    "consent",
    "segment",
    "property",
    "item",
    "last_days",
    "from",
    "per",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(KEYS) | st.text(max_size=3),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(json_values)
def test_any_json_is_either_read_or_refused_by_our_own_error(value) -> None:
    try:
        parse(value)
    except DefinitionError as error:
        assert error.problems
        assert all(problem.sentence() for problem in error.problems)
