"""The categories a customer chooses more than others do."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Func
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import TraitKind, Values, in_words, read_events
from personalization.traits.lifetime import TooLittleData
from personalization.traits.models import TraitDefinition

# As if so many events with everybody's shares stood beside the customer's own.
PRIOR_EVENTS = 10
# One event of a category is no interest yet.
LEAST_EVENTS = 2
# How many times everybody's share.
LEAST_LIFT = 1.25
MOST_INTERESTS = 3
MOST_CATEGORIES = 1_000


class Interests(TraitKind):
    name = "interests"
    label = gettext_lazy("Interests")
    value_type = "text"
    learns = True

    @property
    def too_little(self) -> str:
        return _("Too little data to tell: there are no such events with items that have categories.")

    def formula(self, definition: TraitDefinition) -> str:
        return _(
            "up to %(most)s categories of items in events %(events)s whose share with the customer exceeds "
            "everybody's most: at least %(lift)s times as large, from %(least)s events on, after %(prior)s "
            "events with everybody's shares are added"
        ) % {
            "most": MOST_INTERESTS, "events": in_words(definition), "lift": LEAST_LIFT,
            "least": LEAST_EVENTS, "prior": PRIOR_EVENTS,
        }  # fmt: skip

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        events = read_events(definition, None, now=now).filter(item__categories__len__gt=0)
        total = events.count()
        if not total:
            raise TooLittleData
        rows = (
            events.annotate(category=Func("item__categories", function="unnest"))
            .values("category")
            .annotate(n=Count("message_key", distinct=True))
            .order_by("-n", "category")
        )
        counts = rows.values_list("category", "n")[:MOST_CATEGORIES]
        return {"shares": {category: number / total for category, number in counts}}

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        events = read_events(definition, customer_ids, now=now).filter(item__categories__len__gt=0)
        totals = events.values("customer_id").annotate(n=Count("message_key"))
        rows = (
            events.annotate(category=Func("item__categories", function="unnest"))
            .values("customer_id", "category")
            .annotate(n=Count("message_key", distinct=True))
        )
        counts: dict[int, dict[str, int]] = defaultdict(dict)
        for pk, category, number in rows.values_list("customer_id", "category", "n"):
            counts[pk][category] = number
        found = {}
        for pk, total in totals.values_list("customer_id", "n"):
            if best := interests_of(counts[pk], total, definition.state["shares"]):
                found[pk] = ", ".join(best)
        return found


def interests_of(counts: Mapping[str, int], total: int, shares: Mapping[str, float]) -> list[str]:
    """Of `counts` by category among `total` events, against everybody's `shares`; the strongest first."""
    gains = {}
    for category, number in counts.items():
        usual = shares.get(category)
        if usual is None or number < LEAST_EVENTS:
            continue
        own = (number + PRIOR_EVENTS * usual) / (total + PRIOR_EVENTS)
        if own >= LEAST_LIFT * usual:
            gains[category] = own - usual
    return sorted(gains, key=lambda category: (-gains[category], category))[:MOST_INTERESTS]
