"""No question about events reads all of them: each finds its own by an index."""

import json

import pytest
from django.db import connection

from personalization.segments.compiler import compile_definition, compile_ids
from personalization.segments.definition import AGGREGATES, parse
from personalization.segments.operators import OPERATORS
from tests.segments.conftest import NOW

VALUES = {
    "none": None, "scalar": "x", "scalars": ["x", "y"], "text": "x", "number": 2, "numbers": [1, 2],
    "date": "2017-12-01", "dates": ["2017-12-01", "2017-12-24"], "days": 30, "share": 10,
}  # fmt: skip
PROPERTY = {"property": "basket"}


def behavior(op, test, **more):
    node = {"event": "Order", "op": op, "is": test, "value": VALUES[OPERATORS[test].takes], **more}
    return {**node, "of": PROPERTY} if op == "distinct" else node


def catalog():
    """Each aggregate, each operator (of a property, or of a number or time), each further kind of node."""
    for op in AGGREGATES:
        yield op, behavior(op, "within_days" if op in ("first", "last") else "at_least")
    for name, operator in OPERATORS.items():
        if operator.kind == "rank":
            yield name, behavior("sum", name)
        else:
            part = {"property": "k", "op": name, "value": VALUES[operator.takes]}
            yield name, behavior("count", "at_least", where=[part])
        if operator.kind == "number":
            yield f"count {name}", behavior("count", name)
    for name in ("category", "brand", "price", "id", "color"):
        yield f"item {name}", behavior("count", "at_least", where=[{"item": name, "op": "is", "value": 3}])
    yield "never", behavior("count", "is", value=0)
    average = {"event": "Order", "op": "average", "per": PROPERTY}
    yield (
        "ratio",
        {"ratio": [{**average, "window": {"last_days": 90}}, average], "is": "at_least", "value": 2},
    )
    steps = [{"event": "View"}, {"event": "Order"}]
    yield "sequence", {"sequence": steps, "within_days": 7}
    yield "left", {"sequence": steps, "within_days": 7, "followed": False}


def scans(plan) -> list[dict]:
    return [plan, *(scan for inner in plan.get("Plans", []) for scan in scans(inner))]


@pytest.mark.parametrize(
    ("what", "definition"), list(catalog()), ids=lambda part: part if type(part) is str else ""
)
def test_events_are_found_by_an_index(db, what, definition) -> None:
    for asked in (definition, {"not": definition}, {"any": [definition, {"trait": "city", "op": "exists"}]}):
        for found in (compile_definition(asked, now=NOW), compile_ids(parse(asked), now=NOW)):
            sql, parameters = found.query.sql_with_params()
            with connection.cursor() as cursor:
                # An empty table would be read as a whole; this shows whether an index could serve a full one.
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
                (answer,) = cursor.fetchone()
            plan = json.loads(answer) if isinstance(answer, str) else answer
            touched = [scan for scan in scans(plan[0]["Plan"]) if scan.get("Relation Name") == "events_event"]
            assert touched, what
            for scan in touched:
                assert scan["Node Type"] != "Seq Scan", what
                assert "Index Cond" in scan or "Recheck Cond" in scan, what


def test_a_count_of_events_never_looks_at_the_customers(db) -> None:
    for definition in (behavior("count", "at_least"), {"all": [behavior("sum", "more_than")]}):
        assert "customers_customer" not in str(compile_ids(parse(definition), now=NOW).query)
