"""The channel whose messages a customer answers to."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.events.models import Event
from personalization.traits.kind import TraitKind, Values, by_people
from personalization.traits.models import TraitDefinition

POINTS = {"Message Opened": 1, "Message Clicked": 3}
DEFAULT_DAYS = 180


class PreferredChannel(TraitKind):
    name = "preferred_channel"
    label = gettext_lazy("Preferred channel")
    value_type = "text"
    uses = ("window_days",)

    def formula(self, definition: TraitDefinition) -> str:
        return _(
            "the channel with most points from answers of the last %(days)s days: opened 1, clicked 3; those "
            "of machines do not count"
        ) % {"days": definition.window_days or DEFAULT_DAYS}

    def events(self, definition: TraitDefinition) -> tuple[str, ...]:
        return tuple(POINTS)

    def boundaries(self, definition: TraitDefinition) -> tuple[int, ...]:
        return (definition.window_days or DEFAULT_DAYS,)

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        since = now - timedelta(days=definition.window_days or DEFAULT_DAYS)
        rows = (
            by_people(
                Event.objects.filter(
                    customer_id__in=customer_ids, name__in=POINTS, occurred_at__gt=since, occurred_at__lte=now
                )
            )
            .annotate(channel=KeyTextTransform("channel", "properties"))
            .filter(properties__has_key="channel")
            .values("customer_id", "name", "channel")
            .annotate(n=Count("message_key"))
        )
        points: dict[int, dict[str, int]] = {}
        for pk, name, channel, number in rows.values_list("customer_id", "name", "channel", "n"):
            own = points.setdefault(pk, {})
            own[channel] = own.get(channel, 0) + POINTS[name] * number
        return {pk: min(own, key=lambda channel: (-own[channel], channel)) for pk, own in points.items()}
