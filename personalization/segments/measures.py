"""The side of events: which of them count, and one number or time per customer from them.

Every query here starts from the events and answers ids of customers, so that the index (name, occurred_at)
INCLUDE (customer, item, value) can serve it alone. `only` narrows it to some customers, by the index
(customer, occurred_at).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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

from personalization.customers.models import SOMEBODY, Customer
from personalization.events.models import Event
from personalization.segments import nodes
from personalization.segments.operands import (
    ArrayColumn,
    Column,
    CountColumn,
    JsonKey,
    NumberColumn,
    Sql,
    TimeColumn,
    typed,
)
from personalization.segments.operators import OPERATORS, days_before

ITEM_COLUMNS = {"id": "item__external_id", "name": "item__name", "brand": "item__brand"}


@dataclass(frozen=True)
class Measures:
    """`only`: None for all customers; `sampled`: they were drawn to stand for all."""

    now: datetime
    only: Sequence[int] | None = None
    sampled: bool = False

    # --- Which events
    def events(self, aggregate: nodes.Aggregate) -> QuerySet[Event]:
        return self.some(Event.objects.filter(self.matches(aggregate)))

    def some(self, events: QuerySet[Event]) -> QuerySet[Event]:
        if self.only is None:
            return events
        return events.filter(among("customer_id", self.only))

    def matches(self, aggregate: nodes.Aggregate) -> Q:
        return self.happened(aggregate.events, aggregate.where) & self.within(aggregate.window)

    def happened(self, names: tuple[str, ...], where: tuple[nodes.Filter, ...]) -> Q:
        matched = Q(name=names[0]) if len(names) == 1 else Q(name__in=names)
        for part in where:
            matched &= Q(self.test(event_operand(part), part.test))
        return matched

    def within(self, window: nodes.Window) -> Q:
        starts, ends = self.bound(window.starts), self.bound(window.ends)
        # What is dated in the future has not happened yet.
        inside = Q(occurred_at__lt=min(ends, self.now) if ends is not None else self.now)
        return inside & Q(occurred_at__gte=starts) if starts is not None else inside

    def bound(self, bound: datetime | Decimal | None) -> datetime | None:
        return days_before(self.now, bound) if isinstance(bound, Decimal) else bound

    # --- Whose
    def groups(self, aggregate: nodes.Aggregate) -> tuple[QuerySet[Any], Column]:
        """One row per customer with such events, and its number or time."""
        rows = self.events(aggregate).order_by().values("customer_id")
        groups = rows.annotate(number=self.number(aggregate))
        kinds = {"first": TimeColumn, "last": TimeColumn, "count": CountColumn, "distinct": CountColumn}
        return groups, kinds.get(aggregate.op, NumberColumn)("number")

    def anyone(self, aggregate: nodes.Aggregate) -> QuerySet[Any]:
        return self.events(aggregate).order_by().values("customer_id").distinct()

    def top(self, aggregate: nodes.Aggregate, percent: Any) -> QuerySet[Any]:
        """Those with fewer than percent·N customers above them; ties share their place. Of all customers,
        whatever `only` says, but where those were drawn."""
        people = Customer.objects.filter(SOMEBODY)
        if self.sampled and self.only is not None:
            people = people.filter(among("id", self.only))
        everyone = people.order_by().annotate(one=Value(1)).values("one")
        groups, _ = (self if self.sampled else Measures(self.now)).groups(aggregate)
        place = Window(Rank(), order_by=F("number").desc())
        return (
            groups.filter(number__isnull=False)
            .annotate(place=place, everyone=Subquery(everyone.annotate(n=Count("pk")).values("n")))
            .filter(Sql("({0} - 1) * 100 < {1} * {2}", F("place"), typed(percent), F("everyone")))
            .values("customer_id")
        )

    def ratio(self, node: nodes.Ratio) -> QuerySet[Any]:
        """Both numbers in one pass over the events of either."""
        of, to = self.matches(node.of), self.matches(node.to)
        groups = (
            self.some(Event.objects.filter(of | to))
            .order_by()
            .values("customer_id")
            .annotate(upper=self.number(node.of, only=of), lower=self.number(node.to, only=to))
        )
        return groups.filter(self.test(Given(quotient()), node.test)).values("customer_id")

    def sequence(self, node: nodes.Sequence) -> QuerySet[Any]:
        first = node.steps[0]
        begun = Event.objects.filter(self.happened(first.events, first.where) & self.within(node.window))
        return self.some(begun.filter(self.after(node, 0))).order_by().values("customer_id").distinct()

    def after(self, node: nodes.Sequence, place: int) -> Q:
        """What must come after an event of this step; each step is a semi-join by the customer's index."""
        following = node.steps[place + 1]
        later = Event.objects.filter(
            self.happened(following.events, following.where),
            Sql("{0} <= {1} + {2}", F("occurred_at"), OuterRef("occurred_at"), days(node)),
            customer_id=OuterRef("customer_id"),
            occurred_at__gt=OuterRef("occurred_at"),
            occurred_at__lt=self.now,
        )
        if place + 2 < len(node.steps):
            return Q(Exists(later.filter(self.after(node, place + 1))))
        if node.followed:
            return Q(Exists(later))
        return ~Q(Exists(later)) & Q(occurred_at__lt=days_before(self.now, node.within_days))

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
    def test(self, operand: Column, test: nodes.Test, *, zone: Any = None) -> Any:
        """A boolean expression; NULL where the operand is missing, but never for a complement.

        `zone`: the expression of the customer's time zone; UTC where it is not given."""
        operator = OPERATORS[test.op]
        if operator.complement:
            return falsely(self.test(operand, nodes.Test(operator.complement, test.value), zone=zone))
        if operator.kind == "any":
            if operator.takes == "none":
                return operand.present()
            values = test.value if operator.takes == "scalars" else (test.value,)
            return operand.equals(values)  # type: ignore[arg-type]
        read = {"text": operand.text, "number": operand.number(), "date": operand.time()}[operator.kind]
        if read is None:
            raise ValueError(f"{operator.name} cannot be asked of this operand")
        parameters = [typed(value) for value in operator.parameters(test.value, self.now)]
        if isinstance(operand, CountColumn) and whole(test.value):
            parameters = [Value(int(value)) for value in operator.parameters(test.value, self.now)]
        last = len(parameters)
        sql = operator.sql.replace("{x}", f"{{{last}}}").replace("{zone}", f"{{{last + 1}}}")
        return Sql(sql, *parameters, read, *([zone or typed("")] if "{zone}" in operator.sql else []))


def among(column: str, ids: Sequence[int]) -> Sql:
    """One parameter, however many they are."""
    return Sql("{0} = ANY({1}::bigint[])", F(column), typed([str(one) for one in ids]))


class Given(NumberColumn):
    """A number that is already an expression."""

    def __init__(self, expression: Any) -> None:
        self.text = expression


def whole(value: Any) -> bool:
    return all(number == int(number) for number in (value if isinstance(value, tuple) else (value,)))


def quotient() -> Sql:
    return Sql("(CASE WHEN {1} > 0 THEN {0} / {1} END)", F("upper"), F("lower"), output_field=DecimalField())


def days(node: nodes.Sequence) -> Value:
    return Value(timedelta(days=float(node.within_days)))


def falsely(expression: Any) -> Sql:
    """True where the expression is false or unknown."""
    if isinstance(expression, Q):
        expression = ExpressionWrapper(expression, Boolean())
    return Sql("({0}) IS NOT TRUE", expression)


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
