"""Aggregates of a number of each customer's events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Aggregate, DecimalField, F, Func, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from personalization.events.models import Event
from personalization.traits.kind import Values, read_events
from personalization.traits.models import TraitDefinition

# What looks like a number: a text in a property must not break the others' sum.
NUMBER = r"^\s*-?\d{1,15}(?:\.\d{1,10})?\s*$"


def numbers(
    definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime
) -> tuple[QuerySet[Event], Any]:
    """The events that have the number, and the expression for it."""
    events = read_events(definition, customer_ids, now=now)
    if not definition.property:
        return events.exclude(value=None), F("value")
    text = KeyTextTransform(definition.property, "properties")
    events = events.annotate(number_text=text).filter(number_text__regex=NUMBER)
    # Trimmed inside the cast, for the database may cast before it filters.
    safe = Func(text, function="substring", template=rf"substring(%(expressions)s from '{NUMBER[1:-1]}')")
    return events, Cast(safe, DecimalField(max_digits=30, decimal_places=10))


def aggregate(
    definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime, by: type[Aggregate]
) -> Values:
    events, number = numbers(definition, customer_ids, now=now)
    rows = events.values("customer_id").annotate(result=by(number)).values_list("customer_id", "result")
    return {pk: plain_number(result) for pk, result in rows if result is not None}


def plain_number(value: Any) -> int | float:
    """Two decimals, as an integer where it is one: the same number is always the same JSON."""
    number = round(float(value), 2)
    return int(number) if number.is_integer() else number


def what(definition: TraitDefinition) -> str:
    return definition.property or _("value")
