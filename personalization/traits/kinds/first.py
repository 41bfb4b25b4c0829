"""When something happened first, or what was said then."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import TraitKind, Values, in_words
from personalization.traits.kinds._one_event import one_event
from personalization.traits.models import TraitDefinition


class FirstEvent(TraitKind):
    name = "first"
    label = gettext_lazy("First event")
    value_type = "time"
    uses = ("event", "property", "filter", "window_days")

    def formula(self, definition: TraitDefinition) -> str:
        if definition.property:
            return _("%(property)s of the first event %(events)s") % {
                "property": definition.property, "events": in_words(definition),
            }  # fmt: skip
        return _("time of the first event %(events)s") % {"events": in_words(definition)}

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        return one_event(definition, customer_ids, now=now, order="occurred_at")
