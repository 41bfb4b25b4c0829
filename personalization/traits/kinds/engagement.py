"""How busy a customer is with us lately, 0 to 100."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Case, Count, IntegerField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.events.models import Event
from personalization.traits.kind import TraitKind, Values, by_people
from personalization.traits.models import TraitDefinition

POINTS = {
    "Message Opened": 1, "Message Clicked": 3, "Page Viewed": 1, "Screen Viewed": 1, "Product Viewed": 1,
    "Product Added": 3, "Order Completed": 10,
}  # fmt: skip
# Days, and what an event up to so old counts.
AGES = ((7, 1.0), (30, 0.5), (90, 0.25))
SCALE = 20.0


class EngagementScore(TraitKind):
    name = "engagement"
    label = gettext_lazy("Engagement score")
    uses = ()

    def formula(self, definition: TraitDefinition) -> str:
        points = ", ".join(f"{event} {number}" for event, number in POINTS.items())
        return _(
            "100·(1 − exp(−points / 20)); points per event: %(points)s; whole up to 7 days ago, half up to "
            "30, a quarter up to 90; opens and clicks by machines do not count"
        ) % {"points": points}

    def events(self, definition: TraitDefinition) -> tuple[str, ...]:
        return tuple(POINTS)

    def boundaries(self, definition: TraitDefinition) -> tuple[int, ...]:
        return tuple(days for days, _share in AGES)

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        ages = [
            When(occurred_at__gt=now - timedelta(days=days), then=Value(at))
            for at, (days, _) in enumerate(AGES)
        ]
        rows = (
            by_people(
                Event.objects.filter(
                customer_id__in=customer_ids, name__in=POINTS, occurred_at__lte=now,
                occurred_at__gt=now - timedelta(days=AGES[-1][0]),
            )
            )
            .annotate(age=Case(*ages, output_field=IntegerField()))
            .values("customer_id", "name", "age")
            .annotate(n=Count("message_key"))
        )  # fmt: skip
        points: dict[int, float] = {}
        for pk, name, age, number in rows.values_list("customer_id", "name", "age", "n"):
            points[pk] = points.get(pk, 0.0) + POINTS[name] * AGES[age][1] * number
        return {pk: round(100 * (1 - math.exp(-total / SCALE))) for pk, total in points.items()}
