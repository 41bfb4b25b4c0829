"""Sources over HTTP: list, add, read now, and what their readings brought. The address is never shown."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListCreateAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import NewestFirst, answer_page
from personalization.access.services import actor_name, audit
from personalization.importing.reading import UnreadableFile
from personalization.sources import tasks
from personalization.sources.checking import check_source
from personalization.sources.errors import InvalidOptions
from personalization.sources.models import Source, SourceRun


class SourceSerializer(KnownFields, serializers.ModelSerializer[Source]):
    address = serializers.CharField(write_only=True, max_length=2000)

    class Meta:
        model = Source
        fields = [
            "id", "name", "kind", "way", "address", "query", "cursor_column", "options", "every_minutes",
            "is_active", "next_at",
        ]  # fmt: skip
        read_only_fields = ["next_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            check_source(attrs)
        except UnreadableFile as error:
            raise InvalidOptions(str(error)) from None
        return attrs


class SourceRunSerializer(serializers.ModelSerializer[SourceRun]):
    class Meta:
        model = SourceRun
        fields = [
            "id", "status", "read", "new", "changed", "unchanged", "rejected", "rejects", "error",
            "started_at", "finished_at",
        ]  # fmt: skip


class SourceList(ListCreateAPIView[Source]):
    """Places that are read again and again."""

    required_scope = Scope.IMPORTS
    serializer_class = SourceSerializer

    def get_queryset(self) -> QuerySet[Source]:
        return Source.objects.all()

    def perform_create(self, serializer: Any) -> None:
        source = serializer.save()
        audit(
            actor_name(self.request), "source.added", f"source:{source.pk}", kind=source.kind, way=source.way
        )


class SourceRuns(APIView):
    required_scope = Scope.IMPORTS
    pagination_class = NewestFirst

    @extend_schema(responses=SourceRunSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The readings of a source, newest first."""
        source = get_object_or_404(Source, pk=pk)
        return answer_page(self, request, source.runs.all(), SourceRunSerializer)

    @extend_schema(request=None, responses={202: None})
    def post(self, request: Request, pk: int) -> Response:
        """Reads the source now."""
        source = get_object_or_404(Source, pk=pk)
        audit(actor_name(request), "source.read", f"source:{source.pk}")
        tasks.pull_source.delay(source.pk)
        return Response(status=202)
