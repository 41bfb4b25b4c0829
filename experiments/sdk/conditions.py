"""A segment as a condition on attributes that GrowthBook's clients can check by themselves. Pure.

Only what means the same there is translated: comparisons of traits. Events, consent, texts without case and
other segments need our database. Traits that name a person are never translated: the condition can be read by
everybody who has a client key.
"""

from decimal import Decimal
from typing import Any as Anything

from personalization.segments.definition import DATE_TRAITS
from personalization.segments.nodes import All, Any, Node, Not, Test, Trait

PERSONAL = ("external_id", "email", "phone", "first_name", "last_name")
OPERATORS = {
    "is": "$eq", "is_not": "$ne", "in": "$in", "not_in": "$nin",
    "at_least": "$gte", "more_than": "$gt", "at_most": "$lte", "less_than": "$lt",
}  # fmt: skip

Condition = dict[str, Anything]


def condition_of(node: Node) -> Condition | None:
    """None when the segment cannot be expressed by attributes. {} lets everybody through."""
    if isinstance(node, Trait):
        return _trait(node)
    if isinstance(node, Not):
        inner = condition_of(node.node)
        return None if inner is None else {"$not": inner}
    if isinstance(node, All | Any):
        parts = [condition_of(child) for child in node.nodes]
        if any(part is None for part in parts):
            return None
        if not parts:
            return {}
        return {"$and" if isinstance(node, All) else "$or": parts}
    return None


def _trait(node: Trait) -> Condition | None:
    # A dot leads the clients into an object; our traits may have one in their name.
    if node.name in PERSONAL or node.name in DATE_TRAITS or "." in node.name or node.name.startswith("$"):
        return None
    test = _test(node.test)
    return None if test is None else {node.name: test}


def _test(test: Test) -> Condition | None:
    if test.op == "exists":
        return {"$exists": True, "$ne": ""}
    if test.op == "missing":
        return {"$not": {"$exists": True, "$ne": ""}}
    if test.op == "between" and isinstance(test.value, tuple):
        low, high = (_plain(value) for value in test.value)
        return {"$gte": low, "$lte": high}
    operator = OPERATORS.get(test.op)
    return None if operator is None else {operator: _plain(test.value)}


def _plain(value: object) -> Anything:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
