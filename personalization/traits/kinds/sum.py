"""The sum of a number over events."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import TraitKind, Values, in_words
from personalization.traits.kinds._aggregate import aggregate, what
from personalization.traits.models import TraitDefinition


class SumOfEvents(TraitKind):
    name = "sum"
    label = gettext_lazy("Sum of a number")
    uses = ("event", "property", "filter", "window_days")

    def formula(self, definition: TraitDefinition) -> str:
        return _("sum of %(what)s over events %(events)s") % {
            "what": what(definition), "events": in_words(definition),
        }  # fmt: skip

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        return aggregate(definition, customer_ids, now=now, by=Sum)
