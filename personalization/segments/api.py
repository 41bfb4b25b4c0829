"""Segments over the API: list, create, read, change, count."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope, User
from personalization.access.services import actor_name
from personalization.privacy.told import told_count
from personalization.segments import selectors, services
from personalization.segments.definition import DefinitionError
from personalization.segments.describe import describe
from personalization.segments.errors import InvalidDefinition
from personalization.segments.models import Segment

COUNT_SECONDS = 20.0


class SegmentSerializer(serializers.ModelSerializer):
    definition = serializers.SerializerMethodField()
    version = serializers.SerializerMethodField()

    class Meta:
        model = Segment
        fields = ["id", "name", "description", "version", "definition", "created_at"]

    def _current(self, segment: Segment) -> Any:
        # The versions are prefetched, newest first.
        return next(iter(segment.versions.all()), None)

    def get_definition(self, segment: Segment) -> dict[str, Any] | None:
        current = self._current(segment)
        return current.definition if current else None

    def get_version(self, segment: Segment) -> int | None:
        current = self._current(segment)
        return current.number if current else None


class SegmentRequest(KnownFields, serializers.Serializer):
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    definition = serializers.JSONField(help_text="The segment language, see docs/segments.md")


class CountRequest(KnownFields, serializers.Serializer):
    definition = serializers.JSONField(help_text="The segment language, see docs/segments.md")


class CountSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="Customers who match now; see docs/privacy.md for staff")
    total = serializers.IntegerField(help_text="All customers")
    sentence = serializers.CharField(help_text="The definition in words")


class SegmentList(generics.ListAPIView):
    required_scope = {"GET": Scope.SEGMENTS_READ, "POST": Scope.SEGMENTS_WRITE}
    serializer_class = SegmentSerializer
    queryset = Segment.objects.filter(archived_at=None).prefetch_related("versions").order_by("pk")

    @extend_schema(request=SegmentRequest, responses={201: SegmentSerializer})
    def post(self, request: Request) -> Response:
        segment = save(None, request)
        return Response(SegmentSerializer(segment).data, status=status.HTTP_201_CREATED)


class SegmentDetail(APIView):
    required_scope = {"GET": Scope.SEGMENTS_READ, "PUT": Scope.SEGMENTS_WRITE}

    @extend_schema(responses=SegmentSerializer)
    def get(self, request: Request, segment_id: int) -> Response:
        return Response(SegmentSerializer(get_object_or_404(Segment, pk=segment_id)).data)

    @extend_schema(request=SegmentRequest, responses=SegmentSerializer)
    def put(self, request: Request, segment_id: int) -> Response:
        """A changed definition becomes a new version; the same one does not."""
        return Response(SegmentSerializer(save(get_object_or_404(Segment, pk=segment_id), request)).data)


class SegmentCount(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(request=CountRequest, responses=CountSerializer)
    def post(self, request: Request) -> Response:
        """Counts a definition without saving it."""
        given = CountRequest(data=request.data)
        given.is_valid(raise_exception=True)
        definition = given.validated_data["definition"]
        try:
            with selectors.time_limit(COUNT_SECONDS):
                number = selectors.count(definition, now=timezone.now())
            sentence = describe(definition)
        except DefinitionError as error:
            raise InvalidDefinition.of(error, prefix="/definition") from error
        number = told_count(request, number)
        return Response(
            {"count": number, "total": told_count(request, selectors.customer_total()), "sentence": sentence}
        )


def save(segment: Segment | None, request: Request) -> Segment:
    given = SegmentRequest(data=request.data)
    given.is_valid(raise_exception=True)
    user = request.user if isinstance(request.user, User) else None
    version = services.save_segment(
        segment, **given.validated_data, actor_user=user, actor=actor_name(request)
    )
    return Segment.objects.get(pk=version.segment_id)
