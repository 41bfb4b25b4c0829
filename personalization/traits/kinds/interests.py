"""The categories, brands or tags of items that a customer chooses more than others do."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Func, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from personalization.catalog.labels import labels_of
from personalization.events.models import Event
from personalization.traits.kind import TraitKind, Values, in_words, read_events
from personalization.traits.lifetime import TooLittleData
from personalization.traits.models import TraitDefinition

# As if so many events with everybody's shares stood beside the customer's own.
PRIOR_EVENTS = 10
# One event with a label is no interest yet.
LEAST_EVENTS = 2
# How many times everybody's share.
LEAST_LIFT = 1.25
MOST_INTERESTS = 3
MOST_LABELS = 1_000


class Interests(TraitKind):
    name = "interests"
    label = gettext_lazy("Interests")
    value_type = "text"
    uses = ("event", "property", "filter", "window_days")
    learns = True

    @property
    def too_little(self) -> str:
        return gettext_noop(
            "Too little data to tell: there are no such events with items that have categories, or the "
            "property named."
        )

    def formula(self, definition: TraitDefinition) -> str:
        return _(
            "up to %(most)s %(labels)s of items in events %(events)s whose share with the customer exceeds "
            "everybody's most: at least %(lift)s times as large, from %(least)s events on, after %(prior)s "
            "events with everybody's shares are added"
        ) % {
            "most": MOST_INTERESTS, "labels": definition.property or _("categories"),
            "events": in_words(definition), "lift": LEAST_LIFT, "least": LEAST_EVENTS, "prior": PRIOR_EVENTS,
        }  # fmt: skip

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        events = _labeled(definition, None, now=now)
        total = events.count()
        if not total:
            raise TooLittleData
        rows = _by_label(events).values("label").annotate(n=Count("message_key", distinct=True))
        counts = rows.order_by("-n", "label").values_list("label", "n")[:MOST_LABELS]
        return {"shares": {label: number / total for label, number in counts}}

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        events = _labeled(definition, customer_ids, now=now)
        totals = events.values("customer_id").annotate(n=Count("message_key"))
        rows = _by_label(events).values("customer_id", "label")
        rows = rows.annotate(n=Count("message_key", distinct=True))
        counts: dict[int, dict[str, int]] = defaultdict(dict)
        for pk, label, number in rows.values_list("customer_id", "label", "n"):
            counts[pk][label] = number
        found = {}
        for pk, total in totals.values_list("customer_id", "n"):
            if best := interests_of(counts[pk], total, definition.state["shares"]):
                found[pk] = ", ".join(best)
        return found


def _labeled(
    definition: TraitDefinition, customer_ids: Sequence[int] | None, *, now: datetime
) -> QuerySet[Event]:
    events = read_events(definition, customer_ids, now=now).alias(labels=labels_of(definition.property))
    return events.filter(labels__len__gt=0)


def _by_label(events: QuerySet[Event]) -> Any:
    """One row for each label of each event."""
    return events.annotate(label=Func("labels", function="unnest"))


def interests_of(counts: Mapping[str, int], total: int, shares: Mapping[str, float]) -> list[str]:
    """Of `counts` by label among `total` events, against everybody's `shares`; the strongest first."""
    gains = {}
    for label, number in counts.items():
        usual = shares.get(label)
        if usual is None or number < LEAST_EVENTS:
            continue
        own = (number + PRIOR_EVENTS * usual) / (total + PRIOR_EVENTS)
        if own >= LEAST_LIFT * usual:
            gains[label] = own - usual
    return sorted(gains, key=lambda label: (-gains[label], label))[:MOST_INTERESTS]
