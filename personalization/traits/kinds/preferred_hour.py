"""The hour of the day at which a customer is there, in the customer's own time."""

import zoneinfo
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.traits.kind import TraitKind, Values
from personalization.traits.models import TraitDefinition

DEFAULT_DAYS = 180
LEAST_EVENTS = 3
# What others do to a customer says nothing about when the customer is there.
NOT_THEIRS = ("Message Sent", "Message Bounced")


class PreferredHour(TraitKind):
    name = "preferred_hour"
    label = gettext_lazy("Preferred hour")
    uses = ("window_days",)

    def formula(self, definition: TraitDefinition) -> str:
        return _(
            "the local hour (0 to 23) with most of the customer's own events in the last %(days)s days, "
            "neighboring hours counting half; from 3 events on"
        ) % {"days": definition.window_days or DEFAULT_DAYS}

    def events(self, definition: TraitDefinition) -> tuple[str, ...]:
        return ()

    def boundaries(self, definition: TraitDefinition) -> tuple[int, ...]:
        return (definition.window_days or DEFAULT_DAYS,)

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        since = now - timedelta(days=definition.window_days or DEFAULT_DAYS)
        names = dict(Customer.objects.filter(pk__in=customer_ids).values_list("pk", "time_zone"))
        zones = {pk: _zone(name) for pk, name in names.items()}
        hours: dict[int, np.ndarray] = {}
        rows = Event.objects.filter(
            customer_id__in=customer_ids, occurred_at__gt=since, occurred_at__lte=now
        ).exclude(name__in=NOT_THEIRS)
        for pk, at in rows.values_list("customer_id", "occurred_at").iterator():
            if pk in zones:
                hours.setdefault(pk, np.zeros(24))[at.astimezone(zones[pk]).hour] += 1
        return {pk: best_hour(counts) for pk, counts in hours.items() if counts.sum() >= LEAST_EVENTS}


def best_hour(counts: np.ndarray) -> int:
    """Of `counts` by hour, around the clock."""
    return int(np.argmax(2 * counts + np.roll(counts, 1) + np.roll(counts, -1)))


def _zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name or settings.TIME_ZONE)
