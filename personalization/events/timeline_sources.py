"""What this room adds to the timeline: the events, with their item, value and situation."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from personalization.customers.contexts import context_of
from personalization.customers.timeline import Entry, TimelineSource
from personalization.events.models import Event


class EventEntries(TimelineSource):
    """Messages are told by the ledger, which knows why they were sent."""

    kind = "event"
    label = gettext_lazy("Events")
    permission = "events.view_event"
    at_field = "occurred_at"
    key_field = "message_key"

    def rows(self, customer_id: int) -> QuerySet[Event]:
        events = Event.objects.filter(customer_id=customer_id).exclude(name="Message Sent")
        return events.select_related("item")

    def tell(self, row: Event) -> Entry:
        parts = [
            row.item.name if row.item else "",
            "" if row.value is None else str(row.value),
            _situation(row),
        ]
        detail = " · ".join(part for part in parts if part)
        return self.entry(
            row, row.name, detail,
            item=row.item.external_id if row.item else None,
            value=None if row.value is None else str(row.value),
            properties=row.properties, context=row.context,
        )  # fmt: skip


def _situation(event: Event) -> str:
    """Device, program and place in a few words."""
    if not event.context:
        return ""
    found = context_of(None, at=event.occurred_at, raw=event.context)
    return ", ".join(part for part in (found.device.kind, found.client.name, found.place.city) if part)
