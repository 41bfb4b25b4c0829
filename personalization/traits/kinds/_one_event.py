"""The first or last event of each customer."""

from collections.abc import Sequence
from datetime import UTC, datetime

from personalization.traits.kind import Values, read_events
from personalization.traits.models import TraitDefinition


def one_event(
    definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime, order: str
) -> Values:
    """The named property of the event that comes first in this order; without a property its time."""
    events = read_events(definition, customer_ids, now=now)
    if definition.property:
        events = events.filter(properties__has_key=definition.property)
    events = events.order_by("customer_id", order, "message_key").distinct("customer_id")
    if not definition.property:
        rows = events.values_list("customer_id", "occurred_at")
        return {pk: at.astimezone(UTC).isoformat(timespec="seconds") for pk, at in rows}
    rows = events.values_list("customer_id", f"properties__{definition.property}")
    return {pk: value for pk, value in rows if value is not None}
