from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from recommender.rules import Rules, RulesError, choose

ITEMS = some.integers(1, 12)


def test_rules_survive_json():
    raw = {
        "bought": "only", "categories": ["Tea"], "not_categories": ["Green"], "brands": ["Leaf"],
        "price_min": "1.10", "price_max": "20", "max_per_category": 2, "pinned": [3, 1], "not_items": [2],
        "diversity": 0.7, "not_in_last_messages": 3,
    }  # fmt: skip
    rules = Rules.from_json(raw)
    assert rules.price_min == Decimal("1.10") and rules.pinned == (3, 1)
    assert rules.as_json() == raw
    assert Rules.from_json({}) == Rules() and Rules().as_json() == {}


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ([], ""),
        ({"color": "red"}, "/color"),
        ({"a/b~": 1}, "/a~1b~0"),
        ({"bought": "never"}, "/bought"),
        ({"bought": []}, "/bought"),
        ({"categories": "Tea"}, "/categories"),
        ({"brands": [""]}, "/brands"),
        ({"price_min": "NaN"}, "/price_min"),
        ({"price_min": True}, "/price_min"),
        ({"price_max": -1}, "/price_max"),
        ({"price_min": 3, "price_max": 2}, "/price_max"),
        ({"max_per_category": 0}, "/max_per_category"),
        ({"max_per_category": True}, "/max_per_category"),
        ({"pinned": ["3"]}, "/pinned"),
        ({"not_items": [True]}, "/not_items"),
        ({"not_items": [1] * 1001}, "/not_items"),
        ({"diversity": 0}, "/diversity"),
        ({"diversity": 1.1}, "/diversity"),
        ({"diversity": True}, "/diversity"),
        ({"not_in_last_messages": -1}, "/not_in_last_messages"),
        ({"not_in_last_messages": None}, "/not_in_last_messages"),
    ],
)
def test_a_mistake_is_named_with_its_place(raw, pointer):
    with pytest.raises(RulesError) as caught:
        Rules.from_json(raw)
    assert [error["pointer"] for error in caught.value.errors] == [pointer]


@settings(max_examples=2000, deadline=None)
@given(
    ranked=some.lists(ITEMS),
    k=some.integers(1, 8),
    rules=some.builds(
        Rules,
        bought=some.sampled_from(["exclude", "only", "allow"]),
        max_per_category=some.none() | some.integers(1, 3),
        pinned=some.lists(ITEMS, max_size=4).map(tuple),
        not_items=some.lists(ITEMS, max_size=4).map(tuple),
    ),
    allowed=some.dictionaries(ITEMS, some.sampled_from(["", "tea", "mugs"])),
    bought=some.sets(ITEMS),
)
def test_no_list_leaks_and_none_is_shorter_than_it_must_be(ranked, k, rules, allowed, bought):
    found = choose(ranked, k=k, rules=rules, allowed=allowed, bought=bought)
    assert len(found) == len(set(found)) <= k
    assert set(found) <= set(allowed) - set(rules.not_items)
    if rules.bought != "allow":
        assert all((item in bought) == (rules.bought == "only") for item in found)
    per_category = Counter(allowed[item] for item in found if allowed[item])
    cap = rules.max_per_category or len(allowed)
    assert max(per_category.values(), default=0) <= cap
    is_pinned = [item in rules.pinned for item in found]
    assert is_pinned == sorted(is_pinned, reverse=True)
    for item in set(ranked) | set(rules.pinned):
        fits = item in allowed and item not in rules.not_items and rules.allows(item, bought)
        if fits and item not in found:
            assert len(found) == k or (allowed[item] and per_category[allowed[item]] == cap)
