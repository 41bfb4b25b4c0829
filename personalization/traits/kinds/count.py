"""How often something happened."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import TraitKind, Values, in_words, read_events
from personalization.traits.models import TraitDefinition


class CountOfEvents(TraitKind):
    name = "count"
    label = gettext_lazy("Number of events")

    def formula(self, definition: TraitDefinition) -> str:
        return _("number of events %(events)s") % {"events": in_words(definition)}

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        rows = read_events(definition, customer_ids, now=now).values("customer_id")
        return dict(rows.annotate(n=Count("message_key")).values_list("customer_id", "n"))
