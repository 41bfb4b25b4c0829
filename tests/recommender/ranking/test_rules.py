from decimal import Decimal

import pytest

from recommender.ranking.rules import Rules, RulesError


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
