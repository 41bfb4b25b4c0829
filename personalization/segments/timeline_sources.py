"""What this room adds to the timeline of a customer: entering and leaving segments."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.customers.timeline import Entry, TimelineSource
from personalization.segments.models import SegmentMove


class SegmentEntries(TimelineSource):
    kind = "segment"
    label = gettext_lazy("Segments")
    permission = "segments.view_segment"
    at_field = "at"

    def rows(self, customer_id: int) -> QuerySet[SegmentMove]:
        return SegmentMove.objects.filter(customer_id=customer_id).select_related("segment")

    def tell(self, row: SegmentMove) -> Entry:
        words = _("Entered segment %(segment)s") if row.entered else _("Left segment %(segment)s")
        title = words % {"segment": row.segment.name}
        return self.entry(row, title, segment=row.segment_id, name=row.segment.name, entered=row.entered)
