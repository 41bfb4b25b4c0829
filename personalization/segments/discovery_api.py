"""Groups and look-alikes over the API: ask for them, watch, cancel, and make segments of what was found."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import actor_name
from personalization.access.time_left import seconds_left
from personalization.privacy.told import told_count
from personalization.segments import tasks
from personalization.segments.api import SegmentSerializer
from personalization.segments.discovery import services
from personalization.segments.discovery.naming import group_name
from personalization.segments.discovery.ready import ready_segments
from personalization.segments.models import Discovery, DiscoveryKind, Segment

READ_AND_WRITE = {"GET": Scope.SEGMENTS_READ, "POST": Scope.SEGMENTS_WRITE, "DELETE": Scope.SEGMENTS_WRITE}


class DiscoveredGroupSerializer(serializers.Serializer):
    letter = serializers.CharField()
    name = serializers.SerializerMethodField(help_text="What sets it apart, in words")
    customers = serializers.SerializerMethodField()
    share = serializers.FloatField(help_text="Of the sample")

    def get_customers(self, group: dict[str, Any]) -> int:
        return told_count(self.context["request"], group["customers"])

    def get_name(self, group: dict[str, Any]) -> str:
        return group_name(group)


class DiscoveredAreaSerializer(serializers.Serializer):
    value = serializers.FloatField(help_text="0.5 is a coin, 1 is certain")
    low = serializers.FloatField()
    high = serializers.FloatField()


class DiscoverySerializer(serializers.ModelSerializer):
    trait = serializers.CharField(help_text="Where customers carry what was found")
    groups = DiscoveredGroupSerializer(many=True, source="result.groups", default=list)
    area = DiscoveredAreaSerializer(
        source="result.area", default=None, allow_null=True, help_text="On members it had not seen"
    )
    lift = serializers.FloatField(
        source="result.lift", default=None, allow_null=True,
        help_text="Members among the best tenth, as a multiple of their share",
    )  # fmt: skip

    problem = serializers.CharField(source="told_problem", help_text="Why nothing was found.")
    seconds_left = serializers.SerializerMethodField(help_text="Null while nothing is known, and at the end.")

    class Meta:
        model = Discovery
        fields = [
            "id", "name", "kind", "seed", "purchase_event", "every_days", "status", "share_done", "problem",
            "trait", "groups", "area", "lift", "created_at", "started_at", "finished_at", "seconds_left",
        ]  # fmt: skip

    def get_seconds_left(self, discovery: Discovery) -> int | None:
        return seconds_left(discovery.started_at, discovery.share_done) if discovery.is_active else None


class NewDiscoverySerializer(KnownFields, serializers.Serializer):
    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(DiscoveryKind.choices)
    seed = serializers.PrimaryKeyRelatedField(
        queryset=Segment.objects.filter(archived_at=None), required=False, allow_null=True, default=None,
        help_text="Look-alikes: of the members of this segment",
    )  # fmt: skip
    purchase_event = serializers.CharField(max_length=200, required=False, default="Order Completed")
    every_days = serializers.IntegerField(
        min_value=0, max_value=services.MOST_DAYS, required=False, default=7,
        help_text="Found anew so often; 0: only when asked",
    )  # fmt: skip


class SegmentFromDiscoverySerializer(KnownFields, serializers.Serializer):
    """A group's letter, or the share of customers most alike."""

    group = serializers.CharField(required=False, default="", allow_blank=True, max_length=1)
    top_percent = serializers.IntegerField(required=False, default=0, min_value=0, max_value=50)


class ReadySegmentSerializer(serializers.Serializer):
    key = serializers.CharField()
    name = serializers.CharField()
    definition = serializers.JSONField(help_text="To be saved as it is, by POST /api/v1/segments")


def _shown(request: Request, discovery: Discovery) -> dict[str, Any]:
    return dict(DiscoverySerializer(discovery, context={"request": request}).data)


class Discoveries(generics.ListAPIView):
    required_scope = READ_AND_WRITE
    serializer_class = DiscoverySerializer
    queryset = Discovery.objects.order_by("pk")

    @extend_schema(request=NewDiscoverySerializer, responses={201: DiscoverySerializer})
    def post(self, request: Request) -> Response:
        """Starts at once."""
        given = NewDiscoverySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        discovery = services.create_discovery(**given.validated_data, actor=actor_name(request))
        tasks.run_discovery.delay(discovery.pk)
        return Response(_shown(request, discovery), status=status.HTTP_201_CREATED)


class DiscoveryDetail(APIView):
    required_scope = READ_AND_WRITE

    @extend_schema(responses=DiscoverySerializer)
    def get(self, request: Request, pk: int) -> Response:
        """How far it is, and what was found last."""
        return Response(_shown(request, get_object_or_404(Discovery, pk=pk)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Its trait goes from all profiles; segments made of it stay, without members."""
        services.remove(get_object_or_404(Discovery, pk=pk), actor=actor_name(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DiscoveryRun(APIView):
    required_scope = READ_AND_WRITE

    @extend_schema(request=None, responses=DiscoverySerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Finds anew, now."""
        services.rerun(get_object_or_404(Discovery, pk=pk), actor=actor_name(request))
        tasks.run_discovery.delay(pk)
        return Response(_shown(request, Discovery.objects.get(pk=pk)))


class DiscoveryCancel(APIView):
    required_scope = READ_AND_WRITE

    @extend_schema(request=None, responses=DiscoverySerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Ends after the customers that are being written."""
        services.cancel(get_object_or_404(Discovery, pk=pk), actor=actor_name(request))
        return Response(_shown(request, Discovery.objects.get(pk=pk)))


class DiscoverySegment(APIView):
    required_scope = READ_AND_WRITE

    @extend_schema(request=SegmentFromDiscoverySerializer, responses={201: SegmentSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """A segment that follows the discovery: found anew, its members change."""
        given = SegmentFromDiscoverySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        version = services.make_segment(
            get_object_or_404(Discovery, pk=pk), letter=given.validated_data["group"],
            top_percent=given.validated_data["top_percent"], actor=actor_name(request),
        )  # fmt: skip
        return Response(SegmentSerializer(version.segment).data, status=status.HTTP_201_CREATED)


class ReadySegments(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(responses=ReadySegmentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """RFM classes, lifecycle stages and predicted churners, as definitions."""
        return Response(ReadySegmentSerializer(ready_segments(), many=True).data)
