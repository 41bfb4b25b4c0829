"""Segments among what is found from every page."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.access.finding import NamedRows
from personalization.segments.models import Segment


class Segments(NamedRows):
    label = gettext_lazy("Segments")
    icon = "filter_alt"
    permission = "segments.view_segment"
    model = Segment
    url = "segments:edit"

    def note(self, row: Segment) -> str:
        return _("archived") if row.archived_at else row.description
