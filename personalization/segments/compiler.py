"""A checked definition as one QuerySet: `compile_definition(definition, now=…)`.

Each condition on events is `id IN (SELECT customer_id FROM events … GROUP BY … HAVING …)`, which the index
(name, occurred_at) INCLUDE (customer, item, value) can answer alone. "Not" and "or" over such conditions are
anti-joins and unions of ids, never `NOT IN`: beyond work_mem PostgreSQL scans the list once per customer.
All values are parameters. Missing values match nothing, and `not` is the exact complement.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    Avg,
    Count,
    DateTimeField,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    Window,
)  # fmt: skip
from django.db.models import BooleanField as Boolean
from django.db.models.functions import Coalesce, Rank

from personalization.customers.models import Consent, Customer
from personalization.events.models import Event
from personalization.segments import nodes
from personalization.segments.definition import DATE_TRAITS, TEXT_TRAITS, DefinitionError, Problem, parse
from personalization.segments.models import SegmentVersion
from personalization.segments.operands import (
    ArrayColumn,
    Column,
    EmailColumn,
    JsonKey,
    NumberColumn,
    Sql,
    TimeColumn,
    typed,
)  # fmt: skip
from personalization.segments.operators import OPERATORS, _, days_before, holds

Load = Callable[[int], object]
ITEM_COLUMNS = {"id": "item__external_id", "name": "item__name", "brand": "item__brand"}


def compile_definition(definition: object, *, now: datetime) -> QuerySet[Customer]:
    """The customers who match at `now`. Nothing runs until the QuerySet is used, except for the lookup of
    other segments. Raises DefinitionError."""
    return compile_node(parse(definition), now=now)


def compile_node(
    node: nodes.Node, *, now: datetime, load: Load | None = None, path: tuple[int, ...] = ()
) -> QuerySet[Customer]:
    """`path` are the segments being compiled: naming one of them again is a circle."""
    compiled = _Compiler(now, load or newest_definition, path).condition(node)
    return Customer.objects.filter(compiled) if compiled is not None else Customer.objects.all()


def newest_definition(segment_id: int) -> object:
    """None when there is no such segment."""
    versions = SegmentVersion.objects.filter(segment_id=segment_id).order_by("-number")
    return versions.values_list("definition", flat=True).first()


def relational(node: nodes.Node) -> bool:
    """Whether the node needs other tables than the customer's row."""
    if isinstance(node, nodes.All | nodes.Any):
        return any(relational(child) for child in node.nodes)
    return relational(node.node) if isinstance(node, nodes.Not) else not isinstance(node, nodes.Trait)


class _Compiler:
    def __init__(self, now: datetime, load: Load, path: tuple[int, ...]) -> None:
        self.now, self.load, self.path = now, load, path

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
            return Q(self.test(trait_operand(node.name), node.test))
        if isinstance(node, nodes.EventCondition):
            return self.event(node)
        if isinstance(node, nodes.Ratio):
            return self.ratio(node)
        if isinstance(node, nodes.ConsentCondition):
            return self.consent(node)
        return self.member(node)

    def either(self, node: nodes.Any) -> Q | None:
        """Conditions on the row stay one OR; each of the others becomes a branch of a union of ids."""
        on_row, branches = Q(), []
        for child in node.nodes:
            part = self.condition(child)
            if part is None:
                return None
            if relational(child):
                branches.append(ids(part))
            else:
                on_row |= part
        if not branches:
            return on_row
        if on_row:
            branches.append(ids(on_row))
        return Q(pk__in=branches[0].union(*branches[1:], all=True) if len(branches) > 1 else branches[0])

    def complement(self, node: nodes.Node) -> Q:
        part = self.condition(node)
        if part is None:
            return Q(pk__in=[])
        if relational(node):
            return ~Q(Exists(Customer.objects.filter(part, pk=OuterRef("pk"))))
        return Q(falsely(ExpressionWrapper(part, Boolean())))

    def consent(self, node: nodes.ConsentCondition) -> Q:
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
        inner = _Compiler(self.now, self.load, (*self.path, node.segment_id))
        part = inner.condition(parse(definition))
        return Q(pk__in=ids(part) if part is not None else Customer.objects.values("pk"))

    # --- Events
    def event(self, node: nodes.EventCondition) -> Q:
        aggregate, test = node.aggregate, node.test
        if positive := OPERATORS[test.op].complement:
            return self.complement(replace(node, test=nodes.Test(positive, test.value)))
        events = self.events(aggregate)
        if test.op == "top_percent":
            return Q(pk__in=self.top(events, aggregate, test.value))
        starts_at_zero = aggregate.op in ("count", "sum", "distinct")
        groups = events.values("customer_id").annotate(number=self.number(aggregate))
        operand = TimeColumn("number") if aggregate.op in ("first", "last") else NumberColumn("number")
        passed = self.test(operand, test)
        if starts_at_zero and holds(test.op, Decimal(0), test.value):
            # Customers without any such event match too: those whose number fails are left out instead.
            failed = groups.filter(falsely(passed)).values("customer_id")
            return ~Q(Exists(Customer.objects.filter(pk__in=failed, pk=OuterRef("pk"))))
        return Q(pk__in=groups.filter(passed).values("customer_id"))

    def top(self, events: QuerySet[Event], aggregate: nodes.Aggregate, percent: Any) -> QuerySet[Any]:
        """Those with fewer than percent·N customers above them; ties share their place."""
        everyone = Customer.objects.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk"))
        return (
            events.values("customer_id")
            .annotate(number=self.number(aggregate))
            .filter(number__isnull=False)
            .annotate(
                place=Window(Rank(), order_by=F("number").desc()), everyone=Subquery(everyone.values("n"))
            )
            .filter(Sql("({0} - 1) * 100 < {1} * {2}", F("place"), typed(percent), F("everyone")))
            .values("customer_id")
        )

    def ratio(self, node: nodes.Ratio) -> Q:
        """Both numbers in one pass over the events of either."""
        if positive := OPERATORS[node.test.op].complement:
            return self.complement(replace(node, test=nodes.Test(positive, node.test.value)))
        of, to = self.matches(node.of), self.matches(node.to)
        groups = (
            Event.objects.filter(of | to)
            .values("customer_id")
            .annotate(upper=self.number(node.of, only=of), lower=self.number(node.to, only=to))
        )
        share = Sql(
            "(CASE WHEN {1} > 0 THEN {0} / {1} END)", F("upper"), F("lower"), output_field=DecimalField()
        )
        passed = self.test(_Given(share), node.test)
        return Q(pk__in=groups.filter(passed).values("customer_id"))

    def events(self, aggregate: nodes.Aggregate) -> QuerySet[Event]:
        return Event.objects.filter(self.matches(aggregate))

    def matches(self, aggregate: nodes.Aggregate) -> Q:
        names = aggregate.events
        matched = Q(name=names[0]) if len(names) == 1 else Q(name__in=names)
        starts, ends = (self.bound(bound) for bound in (aggregate.window.starts, aggregate.window.ends))
        if starts is not None:
            matched &= Q(occurred_at__gte=starts)
        # What is dated in the future has not happened yet.
        matched &= Q(occurred_at__lt=min(ends, self.now) if ends is not None else self.now)
        for part in aggregate.where:
            matched &= Q(self.test(event_operand(part), part.test))
        return matched

    def bound(self, bound: datetime | Decimal | None) -> datetime | None:
        return days_before(self.now, bound) if isinstance(bound, Decimal) else bound

    def number(self, aggregate: nodes.Aggregate, *, only: Q | None = None) -> Any:
        """The aggregate expression; with `only`, over those events of the group alone."""
        op = aggregate.op
        if op == "count":
            return Count("customer_id", filter=only)
        if op in ("first", "last"):
            return (Min if op == "first" else Max)("occurred_at", filter=only)
        if op == "distinct":
            return Count(different(aggregate.of), distinct=True, filter=only)
        amount = (
            NumberColumn("value")
            if aggregate.of.kind == "value"
            else JsonKey("properties", aggregate.of.name)
        )
        if op == "sum":
            return Coalesce(Sum(amount.number(), filter=only), Value(Decimal(0)), output_field=DecimalField())
        if op == "average" and aggregate.per is not None:
            total = Sum(amount.number(), filter=only)
            parts = Count(different(aggregate.per), distinct=True, filter=only)
            return Sql("({0} / NULLIF({1}, 0))", total, parts, output_field=DecimalField())
        kind = {"average": Avg, "smallest": Min, "largest": Max}[op]
        return kind(amount.number(), filter=only, output_field=DecimalField())

    # --- Tests
    def test(self, operand: Column, test: nodes.Test) -> Any:
        """A boolean expression; NULL where the operand is missing, but never for a complement."""
        operator = OPERATORS[test.op]
        if operator.complement:
            return falsely(self.test(operand, nodes.Test(operator.complement, test.value)))
        if operator.kind == "any":
            if operator.takes == "none":
                return operand.present()
            values = test.value if operator.takes == "scalars" else (test.value,)
            return operand.equals(values)  # type: ignore[arg-type]
        read = {"text": operand.text, "number": operand.number(), "date": operand.time()}[operator.kind]
        if read is None:
            raise ValueError(f"{operator.name} cannot be asked of this operand")
        parameters = [typed(value) for value in operator.parameters(test.value, self.now)]
        last = len(parameters)
        return Sql(operator.sql.replace("{x}", f"{{{last}}}"), *parameters, read)


class _Given(NumberColumn):
    """A number that is already an expression."""

    def __init__(self, expression: Any) -> None:
        self.text = expression


def ids(condition: Q) -> QuerySet[Any]:
    return Customer.objects.filter(condition).values("pk")


def falsely(expression: Any) -> Sql:
    """True where the expression is false or unknown."""
    if isinstance(expression, Q):
        expression = ExpressionWrapper(expression, Boolean())
    return Sql("({0}) IS NOT TRUE", expression)


def trait_operand(name: str) -> Column:
    if name == "email":
        return EmailColumn(name)
    if name in TEXT_TRAITS:
        return Column(name)
    return TimeColumn(name) if name in DATE_TRAITS else JsonKey("traits", name)


def event_operand(part: nodes.Filter) -> Column:
    if part.place == "property":
        return JsonKey("properties", part.name)
    if part.place == "context":
        return JsonKey("context", part.name)
    if part.place == "field":
        return NumberColumn("value")
    if part.name == "category":
        return ArrayColumn("item__categories")
    if part.name == "price":
        return NumberColumn("item__price")
    column = ITEM_COLUMNS.get(part.name)
    return Column(column) if column else JsonKey("item__attributes", part.name)


def different(source: nodes.Source) -> Any:
    """What `distinct` tells apart; a day is a day in UTC."""
    if source.kind == "item":
        return F("item_id")
    if source.kind == "day":
        return Sql("({0} AT TIME ZONE 'UTC')::date", F("occurred_at"), output_field=DateTimeField())
    return Sql("{0}", JsonKey("properties", source.name).text, output_field=TextField())
