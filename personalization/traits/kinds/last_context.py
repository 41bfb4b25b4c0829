"""On what, or where, a customer was seen last."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.context import Context
from personalization.customers.contexts import context_of
from personalization.events.models import Event
from personalization.traits.kind import TraitKind, Values, by_people
from personalization.traits.models import TraitDefinition

# What can be asked, by the name that stands in the definition's property.
PARTS = {
    "device": lambda context: context.device.kind,
    "client": lambda context: context.client.name,
    "system": lambda context: context.client.system,
    "country": lambda context: context.place.country,
    "city": lambda context: context.place.city,
    "referrer": lambda context: context.origin.referrer,
    "campaign": lambda context: context.origin.campaign,
}  # fmt: skip
DEFAULT_PART = "device"
# Which parts of a stored context an answer can come from; an event without them says nothing.
_SOURCES = {
    "device": ("userAgent", "device"), "client": ("userAgent", "app"), "system": ("userAgent", "os"),
    "country": ("location",), "city": ("location",), "referrer": ("page", "referrer"),
    "campaign": ("campaign",),
}  # fmt: skip


class LastContext(TraitKind):
    name = "last_context"
    label = gettext_lazy("Last device or place")
    value_type = "text"
    uses = ("property",)

    def formula(self, definition: TraitDefinition) -> str:
        return _("%(part)s of the latest event that tells it (one of: %(parts)s)") % {
            "part": _part(definition), "parts": ", ".join(PARTS),
        }  # fmt: skip

    def events(self, definition: TraitDefinition) -> tuple[str, ...]:
        return ()

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        part = _part(definition)
        events = Event.objects.filter(
            customer_id__in=customer_ids, occurred_at__lte=now, context__has_any_keys=_SOURCES[part]
        )
        latest = (
            by_people(events).order_by("customer_id", "-occurred_at", "message_key").distinct("customer_id")
        )
        rows = latest.values_list("customer_id", "context", "occurred_at")
        found = {pk: _read(part, context_of(None, at=at, raw=raw)) for pk, raw, at in rows}
        return {pk: value for pk, value in found.items() if value}


def _part(definition: TraitDefinition) -> str:
    return definition.property if definition.property in PARTS else DEFAULT_PART


def _read(part: str, context: Context) -> Any:
    return PARTS[part](context)
