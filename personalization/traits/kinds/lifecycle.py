"""Where a customer stands: new, active, at risk, lapsed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.events.models import Event
from personalization.traits.kind import TraitKind, Values
from personalization.traits.models import TraitDefinition

DEFAULT_DAYS = 90


class LifecycleStage(TraitKind):
    name = "lifecycle"
    label = gettext_lazy("Lifecycle stage")
    value_type = "text"
    uses = ("event", "window_days")

    def formula(self, definition: TraitDefinition) -> str:
        new, active, risk = self.boundaries(definition)
        return _(
            "by the last event “%(event)s”: new (the only one, up to %(new)s days ago), active (up to "
            "%(active)s), at_risk (up to %(risk)s), lapsed (longer ago)"
        ) % {"event": definition.event, "new": new, "active": active, "risk": risk}

    def boundaries(self, definition: TraitDefinition) -> tuple[int, ...]:
        days = definition.window_days or DEFAULT_DAYS
        return max(days // 3, 1), days, 2 * days

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        new, active, risk = (timedelta(days=days) for days in self.boundaries(definition))
        events = Event.objects.filter(
            customer_id__in=customer_ids, name=definition.event, occurred_at__lte=now
        )
        rows = events.values("customer_id").annotate(n=Count("message_key"), last=Max("occurred_at"))
        found = {}
        for pk, number, last in rows.values_list("customer_id", "n", "last"):
            since = now - last
            if number == 1 and since <= new:
                found[pk] = "new"
            else:
                found[pk] = "active" if since <= active else "at_risk" if since <= risk else "lapsed"
        return found
