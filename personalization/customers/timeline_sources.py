"""What this room adds to the timeline: consent, merges, changes of traits."""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.customers.declarations import sensitive_declarations
from personalization.customers.models import Consent, Merge, TraitChange
from personalization.customers.timeline import Entry, TimelineSource
from personalization.customers.trait_words import trait_words


class ConsentEntries(TimelineSource):
    kind = "consent"
    label = gettext_lazy("Consent")
    permission = "customers.view_consent"
    at_field = "recorded_at"

    def rows(self, customer_id: int) -> QuerySet[Consent]:
        return Consent.objects.filter(customer_id=customer_id)

    def tell(self, row: Consent) -> Entry:
        words = (
            _("Consent granted: %(channel)s, %(topic)s")
            if row.granted
            else (_("Consent withdrawn: %(channel)s, %(topic)s"))
        )
        title = words % {"channel": row.get_channel_display(), "topic": row.topic}
        return self.entry(
            row,
            title,
            row.source,
            channel=row.channel,
            topic=row.topic,
            granted=row.granted,
            source=row.source,
        )


class MergeEntries(TimelineSource):
    kind = "merge"
    label = gettext_lazy("Merges")
    permission = "customers.view_merge"
    at_field = "merged_at"

    def rows(self, customer_id: int) -> QuerySet[Merge]:
        return Merge.objects.filter(survivor_id=customer_id).defer("record")

    def tell(self, row: Merge) -> Entry:
        title = _("Took in profile #%(id)s: %(reason)s") % {
            "id": row.source_id,
            "reason": row.get_reason_display(),
        }
        detail = row.note
        if row.undone_at:
            detail = " · ".join(part for part in (detail, _("undone")) if part)
        return self.entry(
            row,
            title,
            detail,
            merge=row.pk,
            source=row.source_id,
            reason=row.reason,
            undone=bool(row.undone_at),
        )


class TraitEntries(TimelineSource):
    kind = "trait"
    label = gettext_lazy("Traits")
    permission = "customers.view_customer"
    at_field = "changed_at"

    def rows(self, customer_id: int) -> QuerySet[TraitChange]:
        hidden = Exists(sensitive_declarations().filter(name=OuterRef("name")))
        return TraitChange.objects.filter(customer_id=customer_id).annotate(is_hidden=hidden)

    def tell(self, row: TraitChange) -> Entry:
        if row.is_hidden and row.value is not None:  # type: ignore[attr-defined]  # annotated above
            return self.entry(
                row, _("Trait %(name)s changed") % {"name": row.name}, name=row.name, value=None
            )
        if row.value is None:
            title = _("Trait removed: %(name)s") % {"name": row.name}
        else:
            title = _("Trait %(name)s: %(value)s") % {"name": row.name, "value": trait_words(row.value)[:200]}
        return self.entry(row, title, name=row.name, value=row.value)
