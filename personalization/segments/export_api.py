"""Pseudonymous exports of a segment for programs: asked for, watched, canceled, fetched."""

from typing import Any

from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.jobs.row import JobStatus
from personalization.access.jobs.shown import JobFields, job_document
from personalization.access.jobs.work import cancel_job, hand_over
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import actor_name
from personalization.segments import tasks
from personalization.segments.kept_exports import ask_for_export, file_of, kept_exports, note_download
from personalization.segments.models import ExportKind, Segment, SegmentExport


class ExportSerializer(JobFields):
    what = serializers.ChoiceField(ExportKind.choices)
    asked_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True, help_text="Null before it is done.")
    file = serializers.CharField(allow_null=True, help_text="Where it is fetched, for a day; null before.")


class ExportRequest(KnownFields, serializers.Serializer[Any]):
    what = serializers.ChoiceField(
        ExportKind.choices,
        help_text="customers: country, language, month of coming, plain traits. "
        "events: name, day, item, value.",
    )


class SegmentExports(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(operation_id="segments_exports", responses=ExportSerializer(many=True))
    def get(self, request: Request, segment_id: int) -> Response:
        """Those of a day, the newest first."""
        found = kept_exports(get_object_or_404(Segment, pk=segment_id))
        return Response([document(one) for one in found])

    @extend_schema(operation_id="segments_export", request=ExportRequest, responses={202: ExportSerializer})
    def post(self, request: Request, segment_id: int) -> Response:
        """Asks for the members, or their events, as CSV under pseudonyms. A worker writes it: `Location` says
        where to ask how far it is."""
        segment = get_object_or_404(Segment, pk=segment_id)
        body = ExportRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = ask_and_hand_over(segment, body.validated_data["what"], actor=actor_name(request))
        answer = Response(document(asked), status=status.HTTP_202_ACCEPTED)
        answer["Location"] = _address(asked)
        return answer


class SegmentExportDetail(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(operation_id="segments_export_get", responses=ExportSerializer)
    def get(self, request: Request, segment_id: int, pk: int) -> Response:
        """How far it is."""
        return Response(document(_find(segment_id, pk)))


class SegmentExportCancel(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(operation_id="segments_export_cancel", request=None, responses=ExportSerializer)
    def post(self, request: Request, segment_id: int, pk: int) -> Response:
        """Ends it; nothing is kept."""
        found = _find(segment_id, pk)
        cancel_job(found, kind="segment_export", actor=actor_name(request))
        return Response(document(found))


class SegmentExportFile(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(operation_id="segments_export_file", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, segment_id: int, pk: int) -> FileResponse:
        """The file, once it is done."""
        return answer_file(request, segment_id, pk)


def answer_file(request: HttpRequest | Request, segment_id: int, pk: int) -> FileResponse:
    """Raises Http404, also when it is not done yet or gone already."""
    found = get_object_or_404(SegmentExport, pk=pk, segment=segment_id, status=JobStatus.DONE)
    try:
        file = file_of(found).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    note_download(found, actor=actor_name(request))
    name = f"segment-{segment_id}-{found.what}.csv"
    answer = FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer


def _find(segment_id: int, pk: int) -> SegmentExport:
    return get_object_or_404(SegmentExport, pk=pk, segment=segment_id)


def ask_and_hand_over(segment: Segment, what: str, *, actor: str) -> SegmentExport:
    """Raises ExportRefused."""
    with transaction.atomic():
        asked = ask_for_export(segment, what, actor=actor)
        hand_over(tasks.run_export, asked.pk)
    return asked


def _address(row: SegmentExport) -> str:
    return f"/api/v1/segments/{row.segment_id}/exports/{row.pk}"


def document(row: SegmentExport) -> dict[str, Any]:
    return {
        **job_document(row), "what": row.what, "asked_by": row.asked_by, "created_at": row.created_at,
        "finished_at": row.finished_at, "rows": row.rows,
        "file": f"{_address(row)}/file" if row.status == JobStatus.DONE else None,
    }  # fmt: skip
