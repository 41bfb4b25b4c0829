"""The compiled query against a slow evaluator in plain Python, over random small worlds and definitions."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalization.segments import nodes
from personalization.segments.compiler import compile_definition, compile_ids
from personalization.segments.definition import parse
from personalization.segments.operators import OPERATORS

NOW = datetime(2018, 1, 2, tzinfo=UTC)
CITIES = ["", "Bath", "bath spa", "Köln"]
SCORES = [None, 1, 2.5, "2.5", "7", "many", True, "true"]
NUMBER = ["at_least", "more_than", "at_most", "less_than", "is", "is_not"]


# --- The evaluator: one customer at a time
def number_of(value):
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or value is None:
        return None
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None


def spelled(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    number = number_of(value)
    return str(value) if number is None else format(number.normalize(), "f")


def passes(test: nodes.Test, value) -> bool:
    op, wanted = test.op, test.value
    complement = OPERATORS[op].complement
    if complement:
        return not passes(nodes.Test(complement, wanted), value)
    if op == "exists":
        return value not in (None, "")
    if value is None or value == "":
        return False
    if op == "is":
        return spelled(value) == spelled(wanted)
    if op == "in":
        return spelled(value) in {spelled(one) for one in wanted}
    if op == "contains":
        return wanted.lower() in (str(value).lower())
    if isinstance(value, datetime):
        days = NOW - timedelta(days=float(wanted)) if isinstance(wanted, Decimal) else wanted
        inside = days <= value < NOW
        early = value < days
        return {
            "within_days": inside,
            "more_than_days_ago": early,
            "before": early,
            "on_or_after": not early,
        }[op]
    number = number_of(value)
    if number is None:
        return False
    if op == "between":
        return wanted[0] <= number <= wanted[1]
    return {"at_least": number >= wanted, "more_than": number > wanted, "at_most": number <= wanted,
            "less_than": number < wanted}[op]  # fmt: skip


def inside(event, aggregate: nodes.Aggregate) -> bool:
    def bound(raw, default):
        if raw is None:
            return default
        return NOW - timedelta(days=float(raw)) if isinstance(raw, Decimal) else raw

    start, end = (
        bound(aggregate.window.starts, datetime.min.replace(tzinfo=UTC)),
        bound(aggregate.window.ends, NOW),
    )
    if event["name"] not in aggregate.events or not start <= event["at"] < min(end, NOW):
        return False
    read = {"property": lambda part: event["properties"].get(part.name), "field": lambda part: event["value"]}
    return all(passes(part.test, read[part.place](part)) for part in aggregate.where)


def measured(customer, aggregate: nodes.Aggregate):
    events = [event for event in customer["events"] if inside(event, aggregate)]
    values = [event["value"] for event in events if event["value"] is not None]
    times = [event["at"] for event in events]
    if aggregate.op == "count":
        return Decimal(len(events))
    if aggregate.op == "sum":
        return sum(values, Decimal(0))
    if aggregate.op == "distinct":
        return Decimal(
            len({spelled(v) for e in events if (v := e["properties"].get(aggregate.of.name)) is not None})
        )
    if aggregate.op in ("first", "last"):
        return (min if aggregate.op == "first" else max)(times, default=None)
    if not values:
        return None
    return {"average": sum(values) / len(values), "smallest": min(values), "largest": max(values)}[
        aggregate.op
    ]


def went_through(node: nodes.Sequence, customer) -> bool:
    """Every way to choose one event for each step, tried out."""
    distance = timedelta(days=float(node.within_days))

    def takes(step: nodes.Step, window: nodes.Window) -> list[datetime]:
        alike = nodes.Aggregate(step.events, "count", nodes.Source("value"), None, window, step.where)
        return [event["at"] for event in customer["events"] if inside(event, alike)]

    ways = [[at] for at in takes(node.steps[0], node.window)]
    sure = node.steps[1:] if node.followed else node.steps[1:-1]
    for step in sure:
        ways = [
            [*way, at]
            for way in ways
            for at in takes(step, nodes.Window())
            if way[-1] < at <= way[-1] + distance
        ]
    if node.followed:
        return bool(ways)
    last = takes(node.steps[-1], nodes.Window())
    return any(
        way[-1] + distance < NOW and not any(way[-1] < at <= way[-1] + distance for at in last)
        for way in ways
    )


def matches(node, customer) -> bool:
    if isinstance(node, nodes.All):
        return all(matches(child, customer) for child in node.nodes)
    if isinstance(node, nodes.Any):
        return any(matches(child, customer) for child in node.nodes)
    if isinstance(node, nodes.Not):
        return not matches(node.node, customer)
    if isinstance(node, nodes.Trait):
        return passes(
            node.test, customer["city"] if node.name == "city" else customer["traits"].get(node.name)
        )
    if isinstance(node, nodes.Sequence):
        return went_through(node, customer)
    value = measured(customer, node.aggregate)
    return passes(node.test, value)


# --- Random worlds and definitions
customers = st.fixed_dictionaries({
    "city": st.sampled_from(CITIES),
    "traits": st.one_of(st.just({}), st.fixed_dictionaries({"score": st.sampled_from(SCORES)})),
    "events": st.lists(st.fixed_dictionaries({
        "name": st.sampled_from(["A", "B"]),
        "at": st.sampled_from([-40, -30, -29, -7, -1, 0, 1]).map(lambda days: NOW + timedelta(days=days)),
        "value": st.sampled_from([None, Decimal("-2"), Decimal("0"), Decimal("2.50"), Decimal("7")]),
        "properties": st.sampled_from([{}, {"k": 1}, {"k": "x"}, {"k": None}, {"k": "2.5"}]),
    }), max_size=4),
})  # fmt: skip

small = st.sampled_from([-2, 0, 1, 2, 2.5, 7])
numeric = st.tuples(st.sampled_from(NUMBER), small) | st.just(("between", [0, 2.5]))
scalar = st.sampled_from(["Bath", "2.5", 2.5, 1, "many", True, "true", "x"])
any_test = (
    st.tuples(st.sampled_from(["is", "is_not"]), scalar)
    | st.tuples(st.sampled_from(["in", "not_in"]), st.lists(scalar, min_size=1, max_size=6))
    | st.sampled_from([("exists", None), ("missing", None), ("contains", "BA"), ("not_contains", "a")])
)
traits = st.one_of(
    any_test.map(lambda t: {"trait": "city", "op": t[0], "value": t[1]}),
    (any_test | numeric).map(lambda t: {"trait": "score", "op": t[0], "value": t[1]}),
)
windows = st.sampled_from([
    None, {"last_days": 30}, {"before_days": 29}, {"last_days": 40, "before_days": 7}, {"from": "2017-12-26"},
    {"to": "2017-12-26"},
])  # fmt: skip
filters = st.lists(
    (any_test | numeric).map(lambda t: {"property": "k", "op": t[0], "value": t[1]})
    | numeric.map(lambda t: {"field": "value", "op": t[0], "value": t[1]}),
    max_size=1,
)
names = st.sampled_from(["A", "B", ["A", "B"]])


@st.composite
def behaviors(draw):
    op = draw(
        st.sampled_from(["count", "sum", "average", "smallest", "largest", "distinct", "first", "last"])
    )
    if op in ("first", "last"):
        test = draw(
            st.sampled_from([("within_days", 30), ("more_than_days_ago", 7), ("before", "2017-12-26")])
        )
    else:
        test = draw(numeric)
    node = {"event": draw(names), "op": op, "is": test[0], "value": test[1], "where": draw(filters)}
    if op == "distinct":
        node["of"] = {"property": "k"}
    if window := draw(windows):
        node["window"] = window
    return node


@st.composite
def sequences(draw):
    steps = draw(st.lists(names, min_size=2, max_size=3))
    node = {"sequence": [{"event": name, "where": draw(filters)} for name in steps],
            "within_days": draw(st.sampled_from([1, 10, 30])), "followed": draw(st.booleans())}  # fmt: skip
    if window := draw(windows):
        node["window"] = window
    return node


definitions = st.recursive(
    traits | behaviors() | sequences(),
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda several: st.sampled_from([{"all": several}, {"any": several}, {"not": several[0]}])
    ),
    max_leaves=5,
)


def store(people) -> dict[int, dict]:
    import uuid

    from personalization.customers.models import Customer
    from personalization.events.models import Event

    Event.objects.all().delete()
    Customer.objects.all().delete()
    made = Customer.objects.bulk_create(
        [Customer(city=one["city"], traits=one["traits"], created_at=NOW) for one in people]
    )
    Event.objects.bulk_create(
        Event(customer=customer, message_key=uuid.uuid4(), name=event["name"], occurred_at=event["at"],
              received_at=NOW, value=event["value"], properties=event["properties"])
        for customer, one in zip(made, people, strict=True)
        for event in one["events"]
    )  # fmt: skip
    return {customer.pk: one for customer, one in zip(made, people, strict=True)}


def counted(definition) -> int:
    return compile_ids(parse(definition), now=NOW).count()


def chosen(definition) -> list[int]:
    return sorted(compile_definition(definition, now=NOW).values_list("pk", flat=True))


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(customers, min_size=1, max_size=6), st.lists(definitions, min_size=3, max_size=5))
def test_the_query_agrees_with_the_plain_evaluator(people, several) -> None:
    stored = store(people)
    everyone = set(stored)
    sets = []
    for definition in several:
        node = parse(definition)
        assert counted(definition) == len(chosen(definition)), definition
        expected = sorted(pk for pk, one in stored.items() if matches(node, one))
        assert chosen(definition) == expected, definition
        assert set(chosen({"not": definition})) == everyone - set(expected)
        sets.append(set(expected))
    assert set(chosen({"all": several})) == set.intersection(*sets)
    assert set(chosen({"any": several})) == set.union(*sets)
