"""Entries and exits on a customer's timeline."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.customers.timeline import Entry, TimelineSource
from personalization.segments.models import SegmentMove


class MoveEntries(TimelineSource):
    kind = "segment"
    label = gettext_lazy("Segments")
    permission = "segments.view_segment"
    at_field = "at"

    def rows(self, customer_id: int) -> QuerySet[SegmentMove]:
        return SegmentMove.objects.filter(customer_id=customer_id).select_related("segment")

    def tell(self, row: SegmentMove) -> Entry:
        words = _("Entered the segment “%(name)s”") if row.entered else _("Left the segment “%(name)s”")
        return self.entry(
            row, words % {"name": row.segment.name}, segment=row.segment_id, entered=row.entered
        )
