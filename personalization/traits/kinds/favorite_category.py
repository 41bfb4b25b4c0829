"""The category a customer chose most often."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Func, Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.traits.kind import TraitKind, Values, in_words, read_events
from personalization.traits.models import TraitDefinition


class FavoriteCategory(TraitKind):
    name = "favorite_category"
    label = gettext_lazy("Favorite category")
    value_type = "text"

    def formula(self, definition: TraitDefinition) -> str:
        return _("most frequent category of the items in events %(events)s; of equals, the latest") % {
            "events": in_words(definition)
        }

    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        events = read_events(definition, customer_ids, now=now).exclude(item__categories=None)
        rows = (
            events.annotate(category=Func("item__categories", function="unnest"))
            .values("customer_id", "category")
            .annotate(n=Count("message_key"), last=Max("occurred_at"))
            .order_by("customer_id", "-n", "-last", "category")
            .values_list("customer_id", "category")
        )
        best: dict[int, str] = {}
        for pk, category in rows:
            best.setdefault(pk, category)
        return best
