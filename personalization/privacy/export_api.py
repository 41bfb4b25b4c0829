"""Everything about one person for programs: asked for, watched, canceled, fetched."""

from typing import Any
from urllib.parse import quote

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
from personalization.access.models import Scope
from personalization.access.services import actor_name
from personalization.customers.models import Customer
from personalization.customers.reading import note_read
from personalization.privacy import kept_exports, requests, tasks
from personalization.privacy.api import find_customer
from personalization.privacy.models import PersonExport


class PersonExportSerializer(JobFields):
    asked_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True, help_text="Null before it is done.")
    file = serializers.CharField(allow_null=True, help_text="Where it is fetched, for a day; null before.")


class PersonExports(APIView):
    required_scope = Scope.PRIVACY

    @extend_schema(operation_id="customers_exports", responses=PersonExportSerializer(many=True))
    def get(self, request: Request, external_id: str) -> Response:
        """Those of a day, the newest first."""
        found = kept_exports.kept_exports(find_customer(external_id))
        return Response([_document(one, external_id) for one in found])

    @extend_schema(operation_id="customers_export", request=None, responses={202: PersonExportSerializer})
    def post(self, request: Request, external_id: str) -> Response:
        """Asks for everything we hold of one person, as a ZIP file: data.json and one CSV file per table. A
        worker writes it: `Location` says where to ask how far it is."""
        asked = ask_and_hand_over(find_customer(external_id), actor=actor_name(request))
        answer = Response(_document(asked, external_id), status=status.HTTP_202_ACCEPTED)
        answer["Location"] = _address(asked, external_id)
        return answer


class PersonExportDetail(APIView):
    required_scope = Scope.PRIVACY

    @extend_schema(operation_id="customers_export_get", responses=PersonExportSerializer)
    def get(self, request: Request, external_id: str, pk: int) -> Response:
        """How far it is."""
        return Response(_document(_find(external_id, pk), external_id))


class PersonExportCancel(APIView):
    required_scope = Scope.PRIVACY

    @extend_schema(operation_id="customers_export_cancel", request=None, responses=PersonExportSerializer)
    def post(self, request: Request, external_id: str, pk: int) -> Response:
        """Ends it; nothing is kept."""
        found = _find(external_id, pk)
        cancel_job(found, kind="person_export", actor=actor_name(request))
        return Response(_document(found, external_id))


class PersonExportFile(APIView):
    required_scope = Scope.PRIVACY

    @extend_schema(
        operation_id="customers_export_file", responses={(200, "application/zip"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, external_id: str, pk: int) -> FileResponse:
        """The file, once it is done: noted as a request that was answered."""
        return answer_file(request, _find(external_id, pk), page="API: export")


def ask_and_hand_over(customer: Customer, *, actor: str) -> PersonExport:
    with transaction.atomic():
        asked = kept_exports.ask_for_export(customer, actor=actor)
        hand_over(tasks.run_export, asked.pk)
    return asked


def answer_file(request: HttpRequest | Request, asked: PersonExport, *, page: str) -> FileResponse:
    """Raises Http404, also when it is not done yet or gone already."""
    if asked.status != JobStatus.DONE:
        raise Http404
    try:
        file = kept_exports.file_of(asked).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    requests.note_export(asked.customer, actor=actor_name(request))
    note_read(request, [asked.customer_id], page=page)
    name = f"customer-{asked.customer_id}.zip"
    answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
    answer["Cache-Control"] = "no-store"
    return answer


def _find(external_id: str, pk: int) -> PersonExport:
    return get_object_or_404(PersonExport, pk=pk, customer=find_customer(external_id))


def _address(row: PersonExport, external_id: str) -> str:
    return f"/api/v1/customers/{quote(external_id, safe='')}/exports/{row.pk}"


def _document(row: PersonExport, external_id: str) -> dict[str, Any]:
    return {
        **job_document(row), "asked_by": row.asked_by, "created_at": row.created_at,
        "finished_at": row.finished_at, "rows": row.rows,
        "file": f"{_address(row, external_id)}/file" if row.status == JobStatus.DONE else None,
    }  # fmt: skip
