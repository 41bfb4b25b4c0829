"""Imports over HTTP: one call brings the file and starts it, another tells how far it is."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import actor_name, audit
from personalization.access.time_left import seconds_left
from personalization.importing.rejects import sheet
from personalization.sources import services, tasks
from personalization.sources.errors import InvalidOptions, NotStartable
from personalization.sources.models import Import, Kind


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    rows = serializers.IntegerField()


class FileImportSerializer(serializers.ModelSerializer[Import]):
    reasons = ReasonSerializer(
        many=True, read_only=True, help_text="The ten that most rows were rejected for."
    )
    seconds_left = serializers.SerializerMethodField(help_text="Null while nothing is known, and at the end.")

    class Meta:
        model = Import
        fields = [
            "id", "kind", "name", "status", "dry_run", "size_bytes", "records", "read", "new", "changed",
            "unchanged", "rejected", "reasons", "error", "options", "actor", "created_at", "started_at",
            "finished_at", "seconds_left",
        ]  # fmt: skip
        read_only_fields = fields

    def get_seconds_left(self, job: Import) -> int | None:
        return seconds_left(job.started_at, job.share_done) if job.is_active else None


class ImportRequest(KnownFields, serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV, JSON Lines or Parquet, by the ending of its name.")
    kind = serializers.ChoiceField(choices=Kind.choices)
    columns = serializers.JSONField(
        required=False, help_text='Which columns fill which field: {"email": ["E-mail address"]}.'
    )
    event = serializers.CharField(
        required=False, max_length=200, help_text="The name of all events of a file without such a column."
    )
    unknown_items = serializers.ChoiceField(choices=["reject", "create"], required=False)
    time_zone = serializers.CharField(required=False, max_length=64)
    encoding = serializers.CharField(required=False, max_length=40)
    separator = serializers.CharField(required=False, max_length=1, trim_whitespace=False)
    dry_run = serializers.BooleanField(default=False, help_text="Do everything, keep nothing.")


class ImportList(ListAPIView[Import]):
    """All imports, newest first."""

    required_scope = Scope.IMPORTS
    serializer_class = FileImportSerializer
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> QuerySet[Import]:
        return Import.objects.all()

    @extend_schema(request={"multipart/form-data": ImportRequest}, responses={202: FileImportSerializer})
    def post(self, request: Request) -> Response:
        """Takes a file and starts its import; the answer's `id` tells where to ask how far it is."""
        serializer = ImportRequest(data=request.data)
        serializer.is_valid(raise_exception=True)
        told = dict(serializer.validated_data)
        file, kind, dry_run = told.pop("file"), told.pop("kind"), told.pop("dry_run")
        job = services.take_file(file, kind=kind, actor=actor_name(request))
        try:
            services.set_options(job, told)
            services.start(job, dry_run=dry_run, actor=actor_name(request))
        except InvalidOptions:
            services.delete_file(job)
            job.delete()
            raise
        tasks.run_import.delay(job.pk)
        job.refresh_from_db()
        return Response(FileImportSerializer(job).data, status=202)


class ImportDetail(APIView):
    required_scope = Scope.IMPORTS

    @extend_schema(responses=FileImportSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One import, its counts and how far it is."""
        return Response(FileImportSerializer(get_object_or_404(Import, pk=pk)).data)


class ImportCancel(APIView):
    required_scope = Scope.IMPORTS

    @extend_schema(request=None, responses=FileImportSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Ends a running import; what is in stays in."""
        job = get_object_or_404(Import, pk=pk)
        services.cancel(job, actor=actor_name(request))
        job.refresh_from_db()
        return Response(FileImportSerializer(job).data)


class ImportRejects(APIView):
    required_scope = Scope.IMPORTS

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        """The rejected rows as CSV: line, reason, and the row under its own columns, to be mended."""
        job, path = get_object_or_404(Import, pk=pk), services.rejects_path(pk)
        if job.is_active:
            raise NotStartable(_("It still runs."))
        if not path.is_file():
            raise Http404
        audit(actor_name(request), "import.rejects_read", f"import:{pk}", rows=job.rejected)
        return StreamingHttpResponse(
            sheet(path),
            content_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="rejected-{pk}.csv"'},
        )
