"""A checked definition as one QuerySet: `compile_definition(definition, now=…)`.

Each condition on events is `id IN (SELECT customer_id FROM events … GROUP BY … HAVING …)`, which the index
(name, occurred_at) INCLUDE (customer, item, value) can answer alone; a definition that is nothing else is
counted without a look at the customers. "Not" and "or" over such conditions are anti-joins and unions of ids,
never `NOT IN`: beyond work_mem PostgreSQL scans the list once per customer.
All values are parameters. Missing values match nothing, and `not` is the exact complement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import BooleanField as Boolean
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery

from personalization.customers.models import SOMEBODY, Channel, Consent, Customer
from personalization.segments import nodes
from personalization.segments.definition import DATE_TRAITS, TEXT_TRAITS, DefinitionError, Problem, parse
from personalization.segments.measures import Measures, among, falsely
from personalization.segments.models import SegmentVersion
from personalization.segments.operands import Column, EmailColumn, JsonKey, Sql, TimeColumn
from personalization.segments.operators import OPERATORS, _, holds

Load = Callable[[int], object]


def compile_definition(
    definition: object, *, now: datetime, only: Sequence[int] | None = None
) -> QuerySet[Customer]:
    """The customers who match at `now`. Nothing runs until the QuerySet is used, except for the lookup of
    other segments. Raises DefinitionError."""
    return compile_node(parse(definition), now=now, only=only)


def compile_node(
    node: nodes.Node,
    *,
    now: datetime,
    load: Load | None = None,
    path: tuple[int, ...] = (),
    only: Sequence[int] | None = None,
    sampled: bool = False,
) -> QuerySet[Customer]:
    """`path` are the segments being compiled: naming one of them again is a circle. `only`: no customers but
    these are looked at; `sampled`: they stand for everybody, in ranks too."""
    compiler = Compiler(Measures(now, only, sampled=sampled), load or newest_definition, path)
    compiled = compiler.condition(node)
    customers = Customer.objects.all() if compiled is None else Customer.objects.filter(compiled)
    if only is not None:
        customers = customers.filter(among("id", only))
    # The empty profiles that merges and erasures leave behind are nobody: no event, trait or consent is their
    return customers if compiler.is_grounded(node) else customers.filter(SOMEBODY)


def compile_ids(node: nodes.Node, *, now: datetime, path: tuple[int, ...] = ()) -> QuerySet[Any]:
    """The ids of the same customers, each once; of events alone where the definition is of nothing else."""
    while isinstance(node, nodes.All | nodes.Any) and len(node.nodes) == 1:
        node = node.nodes[0]
    found = Compiler(Measures(now), newest_definition, path).of_events(node)
    return compile_node(node, now=now, path=path).values("pk") if found is None else found


def newest_definition(segment_id: int) -> object:
    """None when there is no such segment."""
    versions = SegmentVersion.objects.filter(segment_id=segment_id).order_by("-number")
    return versions.values_list("definition", flat=True).first()


def relational(node: nodes.Node) -> bool:
    """Whether the node needs other tables than the customer's row."""
    if isinstance(node, nodes.All | nodes.Any):
        return any(relational(child) for child in node.nodes)
    return relational(node.node) if isinstance(node, nodes.Not) else not isinstance(node, nodes.Trait)


def sums_up(node: nodes.Node) -> bool:
    """Whether customers' events are counted or summed up for it, not only looked for."""
    if isinstance(node, nodes.All | nodes.Any):
        return any(sums_up(child) for child in node.nodes)
    if isinstance(node, nodes.Not):
        return sums_up(node.node)
    if isinstance(node, nodes.EventCondition):
        return not is_presence(node) and not is_absence(node)
    return isinstance(node, nodes.Ratio)


@dataclass(frozen=True)
class Compiler:
    measures: Measures
    load: Load
    path: tuple[int, ...]
    inner: dict[int, nodes.Node] = field(default_factory=dict)

    # --- Nodes. The answer may be NULL where a value is missing; None stands for "everyone".
    def condition(self, node: nodes.Node) -> Q | None:
        if isinstance(node, nodes.All):
            parts = [part for child in node.nodes if (part := self.condition(child)) is not None]
            return Q(*parts) if parts else None
        if isinstance(node, nodes.Any):
            return self.either(node)
        if isinstance(node, nodes.Not):
            return self.complement(node.node)
        if isinstance(node, nodes.Trait):
            return Q(self.measures.test(trait_operand(node.name), node.test, zone=F("time_zone")))
        if isinstance(node, nodes.ConsentCondition):
            return self.consent(node)
        if isinstance(node, nodes.Member):
            return self.member(node)
        found = self.of_events(node)
        return Q(pk__in=found) if found is not None else lacks(self.missing(node))

    def either(self, node: nodes.Any) -> Q | None:
        """Conditions on the row stay one OR; each of the others becomes a branch of a union of ids."""
        on_row, branches = Q(), []
        for child in node.nodes:
            part = self.condition(child)
            if part is None:
                return None
            if not relational(child):
                on_row |= part
            else:
                found = self.of_events(child)
                branches.append(ids(part) if found is None else found)
        if not branches:
            return on_row
        if on_row:
            branches.append(ids(on_row))
        return Q(pk__in=branches[0].union(*branches[1:], all=True) if len(branches) > 1 else branches[0])

    def complement(self, node: nodes.Node) -> Q:
        found = self.of_events(node)
        if found is not None:
            return lacks(found)
        part = self.condition(node)
        if part is None:
            return Q(pk__in=[])
        if relational(node):
            return lacks(ids(part))
        return Q(falsely(ExpressionWrapper(part, Boolean())))

    def consent(self, node: nodes.ConsentCondition) -> Q:
        if node.channel not in Channel.values:
            raise DefinitionError(
                [Problem("", _("Give one of %(choices)s."), {"choices": ", ".join(Channel.values)})]
            )
        given = Consent.objects.filter(
            customer=OuterRef("pk"), channel=node.channel, topic=node.topic, granted=True, is_current=True
        )
        return Q(Exists(given)) if node.granted else ~Q(Exists(given))

    def member(self, node: nodes.Member) -> Q:
        if node.segment_id in self.path:
            raise DefinitionError(
                [Problem("", _("A segment cannot contain itself, not even through another."))]
            )
        definition = self.load(node.segment_id)
        if definition is None:
            raise DefinitionError(
                [Problem("", _("Segment %(number)s does not exist."), {"number": node.segment_id})]
            )
        self.inner[node.segment_id] = parse(definition)
        below = Compiler(self.measures, self.load, (*self.path, node.segment_id), self.inner)
        part = below.condition(self.inner[node.segment_id])
        return Q(pk__in=ids(part) if part is not None else Customer.objects.values("pk"))

    # --- Events
    def of_events(self, node: nodes.Node) -> QuerySet[Any] | None:
        """Ids of those who match, found among the events alone. None where customers without events match, or
        where the node is not about events."""
        measures = self.measures
        if isinstance(node, nodes.Sequence):
            return measures.sequence(node)
        if isinstance(node, nodes.Ratio) and not OPERATORS[node.test.op].complement:
            return measures.ratio(node)
        if not isinstance(node, nodes.EventCondition) or matches_nobody_too(node):
            return None
        if node.test.op == "top_percent":
            return measures.top(node.aggregate, node.test.value)
        if is_presence(node):
            return measures.anyone(node.aggregate)
        groups, operand = measures.groups(node.aggregate)
        return groups.filter(measures.test(operand, node.test)).values("customer_id")

    def missing(self, node: nodes.Node) -> QuerySet[Any]:
        """Ids of those with events who do not match, where everybody without events does."""
        if isinstance(node, nodes.Ratio):
            positive = OPERATORS[node.test.op].complement
            return self.measures.ratio(replace(node, test=nodes.Test(positive, node.test.value)))
        assert isinstance(node, nodes.EventCondition)
        aggregate, test = node.aggregate, node.test
        if is_absence(node):
            return self.measures.anyone(aggregate)
        groups, operand = self.measures.groups(aggregate)
        if positive := OPERATORS[test.op].complement:
            failed = self.measures.test(operand, nodes.Test(positive, test.value))
        else:
            failed = falsely(self.measures.test(operand, test))
        return groups.filter(failed).values("customer_id")

    def is_grounded(self, node: nodes.Node) -> bool:
        """Whether an empty profile without events and consent cannot match."""
        if isinstance(node, nodes.All):
            return any(self.is_grounded(child) for child in node.nodes)
        if isinstance(node, nodes.Any):
            return all(self.is_grounded(child) for child in node.nodes)
        if isinstance(node, nodes.Not):
            return False
        if isinstance(node, nodes.Trait):
            return node.name not in DATE_TRAITS and not OPERATORS[node.test.op].complement
        if isinstance(node, nodes.ConsentCondition):
            return node.granted
        if isinstance(node, nodes.Member):
            return self.is_grounded(self.inner[node.segment_id])
        return not matches_nobody_too(node)


def matches_nobody_too(node: nodes.EventCondition | nodes.Ratio | nodes.Sequence) -> bool:
    """Whether customers without any such event match."""
    if isinstance(node, nodes.Sequence):
        return False
    test = node.test
    if positive := OPERATORS[test.op].complement:
        return not matches_nobody_too(replace(node, test=nodes.Test(positive, test.value)))
    starts_at_zero = isinstance(node, nodes.EventCondition) and node.aggregate.op in (
        "count", "sum", "distinct",
    )  # fmt: skip
    return starts_at_zero and test.op != "top_percent" and holds(test.op, Decimal(0), test.value)


def is_presence(node: nodes.EventCondition) -> bool:
    """At least one event: nothing needs to be counted."""
    at_least_one = {("at_least", Decimal(1)), ("more_than", Decimal(0))}
    return node.aggregate.op == "count" and (node.test.op, node.test.value) in at_least_one


def is_absence(node: nodes.EventCondition) -> bool:
    none = {("is", Decimal(0)), ("at_most", Decimal(0)), ("less_than", Decimal(1))}
    return node.aggregate.op == "count" and (node.test.op, node.test.value) in none


def ids(condition: Q) -> QuerySet[Any]:
    return Customer.objects.filter(condition).values("pk")


def lacks(found: QuerySet[Any]) -> Q:
    """An anti-join that PostgreSQL may hash, also where `found` is grouped."""
    return Q(Sql("NOT EXISTS (SELECT FROM {0} AS found (id) WHERE found.id = {1})", Subquery(found), F("pk")))


def trait_operand(name: str) -> Column:
    if name == "email":
        return EmailColumn(name)
    if name in TEXT_TRAITS:
        return Column(name)
    return TimeColumn(name) if name in DATE_TRAITS else JsonKey("traits", name)
