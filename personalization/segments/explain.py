"""Why one customer is in or out, how each clause narrows, and how segments overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from personalization.customers.declarations import sensitive_declarations
from personalization.customers.models import Channel, Consent, Customer
from personalization.segments import nodes
from personalization.segments.compiler import compile_ids, compile_node, newest_definition
from personalization.segments.definition import DATE_TRAITS, TEXT_TRAITS, parse
from personalization.segments.describe import describe_node, show
from personalization.segments.measures import Measures
from personalization.segments.models import Segment


@dataclass(frozen=True)
class Clause:
    """`value`: the customer's own, in words; "" for groups. `kind`: all, any, not or leaf."""

    kind: str
    sentence: str
    holds: bool
    value: str
    clauses: tuple["Clause", ...] = ()


@dataclass(frozen=True)
class Step:
    """`alone`: who match this clause; `left`: who match it and all before."""

    sentence: str
    alone: int
    left: int


@dataclass(frozen=True)
class Region:
    """Those who are in exactly these segments of the compared."""

    segments: tuple[int, ...]
    count: int


def explain(definition: object, customer: Customer, *, now: datetime) -> Clause:
    """Raises DefinitionError."""
    return _Explainer(customer, now).clause(parse(definition))


@dataclass(frozen=True)
class _Explainer:
    customer: Customer
    now: datetime

    def clause(self, node: nodes.Node) -> Clause:
        sentence = describe_node(node)
        if isinstance(node, nodes.All | nodes.Any):
            inner = tuple(self.clause(child) for child in node.nodes)
            is_all = isinstance(node, nodes.All)
            holds = (all if is_all else any)(clause.holds for clause in inner)
            return Clause("all" if is_all else "any", sentence, holds, "", inner)
        if isinstance(node, nodes.Not):
            below = self.clause(node.node)
            return Clause("not", sentence, not below.holds, "", (below,))
        holds = compile_node(node, now=self.now, only=[self.customer.pk]).exists()
        if isinstance(node, nodes.Member):
            below = self.clause(parse(newest_definition(node.segment_id)))
            return Clause("leaf", sentence, holds, "", (below,))
        return Clause("leaf", sentence, holds, self.value(node))

    def value(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.Trait):
            if sensitive_declarations().filter(name=node.name).exists():
                return _("known, not shown") if node.name in self.customer.traits else _("not known")
            own = node.name in (*TEXT_TRAITS, *DATE_TRAITS)
            value = getattr(self.customer, node.name) if own else self.customer.traits.get(node.name)
            return _("not known") if value in (None, "") else show(value)
        if isinstance(node, nodes.EventCondition):
            return self.measure(node.aggregate)
        if isinstance(node, nodes.Ratio):
            pair = {"upper": self.measure(node.of), "lower": self.measure(node.to)}
            return _("%(upper)s against %(lower)s") % pair
        if isinstance(node, nodes.ConsentCondition):
            return self.consent(node)
        return ""

    def measure(self, aggregate: nodes.Aggregate) -> str:
        groups, _operand = Measures(self.now, [self.customer.pk]).groups(aggregate)
        value = next(iter(groups.values_list("number", flat=True)), None)
        if value is None:
            return show(0) if aggregate.op in ("count", "sum", "distinct") else _("nothing to compute from")
        return show(value)

    def consent(self, node: nodes.ConsentCondition) -> str:
        stated = Consent.objects.filter(
            customer=self.customer, channel=node.channel, topic=node.topic, is_current=True
        ).first()
        if stated is None:
            return _("never stated")
        places = {"channel": Channel(stated.channel).label, "at": show(stated.recorded_at)}
        return (_("allowed on %(at)s") if stated.granted else _("refused on %(at)s")) % places


def funnel(definition: object, *, now: datetime) -> list[Step]:
    """Each clause of the outermost "all" after those before it; a single step for any other definition."""
    node = parse(definition)
    clauses = node.nodes if isinstance(node, nodes.All) else (node,)
    return [
        Step(
            sentence=describe_node(clause),
            alone=compile_ids(clause, now=now).count(),
            left=compile_ids(nodes.All(clauses[: place + 1]), now=now).count(),
        )
        for place, clause in enumerate(clauses)
    ]


def overlap(segments: Sequence[Segment]) -> list[Region]:
    """Of the recorded members now; the largest region first. One pass, however many segments."""
    places = {segment.pk: place for place, segment in enumerate(segments)}
    with connection.cursor() as cursor:
        cursor.execute(_REGIONS, {"ids": list(places)})
        rows: list[tuple[list[int], int]] = cursor.fetchall()
    return [Region(tuple(sorted(ids, key=places.__getitem__)), count) for ids, count in rows]


_REGIONS = """
    SELECT ids, count(*) FROM (
        SELECT array_agg(segment_id ORDER BY segment_id) AS ids FROM segments_segmentmembership
        WHERE segment_id = ANY(%(ids)s) AND left_at IS NULL GROUP BY customer_id
    ) AS people GROUP BY ids ORDER BY count(*) DESC, ids
"""


def sizes_of(regions: Sequence[Region]) -> dict[int, int]:
    """Members of each compared segment."""
    sizes: dict[int, int] = {}
    for region in regions:
        for segment_id in region.segments:
            sizes[segment_id] = sizes.get(segment_id, 0) + region.count
    return sizes


def as_json(clause: Clause) -> dict[str, Any]:
    return {
        "kind": clause.kind, "sentence": clause.sentence, "holds": clause.holds, "value": clause.value,
        "clauses": [as_json(inner) for inner in clause.clauses],
    }  # fmt: skip
