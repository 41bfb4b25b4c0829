"""Pseudonymous exports of a segment, by page and API; each stands in the audit log."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from personalization.access.models import Scope
from personalization.access.services import actor_name, audit
from personalization.access.shell import staff_page
from personalization.segments.exports import CUSTOMERS, EVENTS, ExportRefused, export_lines
from personalization.segments.models import Segment


@require_POST
@staff_page("segments.change_segment")
def export(request: HttpRequest, segment_id: int) -> HttpResponseBase:
    segment = get_object_or_404(Segment, pk=segment_id)
    try:
        return _answer(request, segment, EVENTS if request.POST.get("what") == EVENTS else CUSTOMERS)
    except ExportRefused as error:
        messages.error(request, f"{error.title}. {error.detail}")
        return redirect("segments:insight", segment_id)


class SegmentExport(APIView):
    required_scope = Scope.SEGMENTS_READ
    what = CUSTOMERS

    def _export(self, request: Request, segment_id: int) -> HttpResponseBase:
        return _answer(request, get_object_or_404(Segment, pk=segment_id), self.what)


class SegmentCustomersExport(SegmentExport):
    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, segment_id: int) -> HttpResponseBase:
        """Members as CSV under pseudonyms: country, language, month of coming, plain traits."""
        return self._export(request, segment_id)


class SegmentEventsExport(SegmentExport):
    what = EVENTS

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, segment_id: int) -> HttpResponseBase:
        """Their events as CSV under the same pseudonyms: name, day, item, value."""
        return self._export(request, segment_id)


def _answer(request: HttpRequest | Request, segment: Segment, what: str) -> StreamingHttpResponse:
    lines = export_lines(segment, what, now=timezone.now())
    audit(actor_name(request), "segment.exported", f"segment:{segment.pk}", what=what, pseudonymous=True)
    response = StreamingHttpResponse(lines, content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="segment-{segment.pk}-{what}.csv"'
    response["Cache-Control"] = "no-store"
    return response
