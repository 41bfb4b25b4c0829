"""What this room adds to the timeline of a customer: messages, and why they were sent or not."""

from django.db.models import DateTimeField, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Delivery, DeliveryStatus
from campaigns.models.journeys import Passage
from personalization.customers.timeline import Entry, TimelineSource


class MessageEntries(TimelineSource):
    """Every delivery of the ledger: one that was left out stands at the time of its launch."""

    kind = "message"
    label = gettext_lazy("Messages")
    permission = "campaigns.view_campaign"
    at_field = "told_at"

    def rows(self, customer_id: int) -> QuerySet[Delivery]:
        told = Coalesce("sent_at", "run__launched_at", output_field=DateTimeField())
        rows = Delivery.objects.filter(customer_id=customer_id).annotate(told_at=told)
        return rows.select_related("run__campaign", "run__segment_version__segment", "variant")

    def tell(self, row: Delivery) -> Entry:
        campaign, version = row.run.campaign, row.run.segment_version
        title = _("%(campaign)s: %(status)s") % {
            "campaign": campaign.name,
            "status": row.get_status_display(),
        }
        why = [
            row.get_reason_display() if row.reason else "",
            _("in segment %(segment)s") % {"segment": version.segment.name} if version else "",
            _("variant %(variant)s") % {"variant": row.variant.name} if row.variant else "",
            self._items(row),
        ]
        return self.entry(
            row, title, " · ".join(part for part in why if part),
            campaign=campaign.pk, run=row.run_id, status=row.status, reason=row.reason,
            segment=version.segment.name if version else None,
            variant=row.variant.key if row.variant else None, inputs=row.inputs,
        )  # fmt: skip

    def _items(self, row: Delivery) -> str:
        items = (row.inputs or {}).get("items") or []
        if not items or row.status == DeliveryStatus.SKIPPED:
            return ""
        return _("with %(number)s chosen items") % {"number": len(items)}


class JourneyEntries(TimelineSource):
    kind = "journey"
    label = gettext_lazy("Journeys")
    permission = "campaigns.view_campaign"
    at_field = "entered_at"

    def rows(self, customer_id: int) -> QuerySet[Passage]:
        return Passage.objects.filter(customer_id=customer_id).select_related("journey")

    def tell(self, row: Passage) -> Entry:
        title = _("Entered journey %(journey)s") % {"journey": row.journey.name}
        detail = " · ".join(part for part in (str(row.get_status_display()), row.end_reason) if part)
        return self.entry(
            row,
            title,
            detail,
            journey=row.journey_id,
            status=row.status,
            node=row.node,
            reason=row.end_reason,
        )
