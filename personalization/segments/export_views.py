"""Pseudonymous exports of a segment on the page of its members; each stands in the audit log."""

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from personalization.access.jobs.row import UNDER_WAY
from personalization.access.jobs.shown import jobs_part, posted_job
from personalization.access.jobs.work import NotUnderWay, cancel_job
from personalization.access.live.part import live_rows
from personalization.access.services import actor_name
from personalization.access.shell import staff_page
from personalization.segments.export_api import answer_file, ask_and_hand_over
from personalization.segments.exports import ExportRefused
from personalization.segments.kept_exports import kept_exports
from personalization.segments.models import ExportKind, Segment, SegmentExport

MAY = "segments.change_segment"


@require_POST
@staff_page(MAY)
def export(request: HttpRequest, segment_id: int) -> HttpResponseBase:
    """Asks for one, or cancels it."""
    segment, actor = get_object_or_404(Segment, pk=segment_id), actor_name(request)
    if request.POST.get("action") == "cancel":
        with suppress(NotUnderWay):  # it is shown as it ended
            cancel_job(posted_job(request, segment.exports.all()), kind="segment_export", actor=actor)
    else:
        events = request.POST.get("what") == ExportKind.EVENTS
        try:
            ask_and_hand_over(segment, ExportKind.EVENTS if events else ExportKind.CUSTOMERS, actor=actor)
        except ExportRefused as error:
            messages.error(request, f"{error.title}. {error.detail}")
    return redirect("segments:insight", segment_id)


@require_GET
@staff_page(MAY)
def live(request: HttpRequest, segment_id: int) -> HttpResponseBase:
    segment = get_object_or_404(Segment, pk=segment_id)
    return live_rows(
        request, _under_way(segment), key=segment_id, template="shell/jobs_live.html",
        context=lambda rows: _part(segment, rows),
    )  # fmt: skip


@require_GET
@staff_page(MAY)
def download(request: HttpRequest, segment_id: int, pk: int) -> FileResponse:
    return answer_file(request, segment_id, pk)


def exports_part(request: HttpRequest, segment: Segment) -> dict[str, Any]:
    """For the page of the segment."""
    if not request.user.has_perm(MAY):
        return {}
    ended = kept_exports(segment).exclude(status__in=UNDER_WAY)[:10]
    return {"exports": ended, **_part(segment, list(_under_way(segment)))}


def _under_way(segment: Segment) -> QuerySet[SegmentExport]:
    return segment.exports.filter(status__in=UNDER_WAY).order_by("pk")


def _part(segment: Segment, rows: list[SegmentExport]) -> dict[str, Any]:
    return jobs_part(
        rows, [row.get_what_display() for row in rows],
        live=reverse("segments:exports-live", args=[segment.pk]),
        act=reverse("segments:export", args=[segment.pk]), may_cancel=True,
    )  # fmt: skip
