"""Lets in whoever does something."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys import happened
from campaigns.journeys.entries._base import OVERLAP, Entrant, Entry
from campaigns.journeys.nodes._base import Field, Wrong
from campaigns.models import Journey
from personalization.events.models import Event


class EventEntry(Entry):
    name = "event"
    label = gettext_lazy("An event")
    fields = (
        Field("event", gettext_lazy("Event"), "event"),
        Field(
            "where", gettext_lazy("Only with these properties"), "json", is_needed=False, default={},
            help=gettext_lazy('As JSON, for example {"currency": "EUR"}. Empty: every such event.'),
        ),
    )  # fmt: skip

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        if not happened.is_event_name(params.get("event")):
            yield "event", _("Name the event.")
        if not isinstance(params.get("where") or {}, Mapping):
            yield "where", _("This must be a JSON object.")

    def describe(self, params: Mapping[str, Any]) -> str:
        return str(params.get("event") or "")

    def find(
        self, journey: Journey, params: Mapping[str, Any], *, since: datetime, now: datetime, by: str
    ) -> Iterable[Entrant]:
        found = Event.objects.filter(
            name=params["event"], occurred_at__gte=journey.opened_at or now, occurred_at__lte=now
        ).filter(**{f"{by}__gt": since - OVERLAP, f"{by}__lte": now})
        if params.get("where"):
            found = found.filter(properties__contains=params["where"])
        rows = found.order_by("occurred_at").values_list(
            "customer_id", "message_key", "occurred_at", "properties", "item__external_id", "value"
        )
        for customer, key, at, properties, item, value in rows.iterator(chunk_size=5000):
            entry = {**properties, "item": item, "value": None if value is None else float(value)}
            yield Entrant(customer, f"event:{key}", at, entry)
