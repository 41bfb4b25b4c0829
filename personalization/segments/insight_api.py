"""What segments tell over the API: explanations, funnels, overlaps, and members over time."""

from dataclasses import replace
from datetime import timedelta

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.models import Scope
from personalization.customers import reading
from personalization.customers.selectors import find_any
from personalization.privacy.told import told_count
from personalization.segments import explain, history, selectors
from personalization.segments.api import COUNT_SECONDS, CountRequest
from personalization.segments.definition import DefinitionError
from personalization.segments.errors import InvalidDefinition
from personalization.segments.floors import told_steps
from personalization.segments.models import Segment

PAGE = 1000
NUMBERS = ("members", "entered", "left")


class ClauseSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=["all", "any", "not", "leaf"])
    sentence = serializers.CharField()
    holds = serializers.BooleanField()
    value = serializers.CharField(help_text="What it is for this customer; empty for groups")
    clauses = serializers.ListField(child=serializers.DictField(), help_text="The same again, nested")


class StepSerializer(serializers.Serializer):
    sentence = serializers.CharField()
    alone = serializers.IntegerField()
    left = serializers.IntegerField()


class RegionSerializer(serializers.Serializer):
    segments = serializers.ListField(child=serializers.IntegerField())
    count = serializers.IntegerField()


class MemberSerializer(serializers.Serializer):
    customer = serializers.IntegerField(source="customer_id")
    external_id = serializers.CharField(source="customer.external_id", allow_null=True)
    entered_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)


class SizeSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    members = serializers.IntegerField()
    entered = serializers.IntegerField()
    left = serializers.IntegerField()


class MoveSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    customer = serializers.IntegerField(source="customer_id")
    entered = serializers.BooleanField()
    at = serializers.DateTimeField()


class PageIn(serializers.Serializer):
    at = serializers.DateTimeField(required=False)
    after = serializers.IntegerField(required=False, default=0, min_value=0)
    cursor = serializers.IntegerField(required=False, default=0, min_value=0)


class DaysIn(serializers.Serializer):
    days = serializers.IntegerField(required=False, default=30, min_value=1, max_value=730)


class SegmentExplain(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(
        parameters=[
            OpenApiParameter("customer", required=True, description="Customer id, or # and a number")
        ],
        responses=inline_serializer(
            "SegmentExplanation",
            {
                "segment": serializers.IntegerField(),
                "version": serializers.IntegerField(),
                "clause": ClauseSerializer(),
            },
        ),
    )
    def get(self, request: Request, segment_id: int) -> Response:
        """Why this customer is in the segment now, or is not: clause by clause, with own values."""
        segment = get_object_or_404(Segment, pk=segment_id)
        customer = find_any(request.query_params.get("customer", ""))
        if customer is None:
            raise Http404
        if not reading.may_see(request):
            raise PermissionDenied
        reading.note_read(request, [customer.pk], page="segment")
        version = segment.current
        clause = explain.explain(version.definition, customer, now=timezone.now())
        return Response({"segment": segment.pk, "version": version.number, "clause": explain.as_json(clause)})


class SegmentFunnel(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(request=CountRequest, responses=StepSerializer(many=True))
    def post(self, request: Request) -> Response:
        """How each clause of a definition narrows: who match it alone, and who match it and all before."""
        given = CountRequest(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            with selectors.time_limit(COUNT_SECONDS):
                steps = explain.funnel(given.validated_data["definition"], now=timezone.now())
        except DefinitionError as error:
            raise InvalidDefinition.of(error, prefix="/definition") from error
        return Response(StepSerializer(told_steps(request, steps), many=True).data)


class SegmentOverlap(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(
        parameters=[OpenApiParameter("segment", int, many=True, required=True, description="2 to 6 numbers")],
        responses=RegionSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """How many are in exactly which of these segments, as last recorded."""
        wanted = [int(one) for one in request.query_params.getlist("segment") if one.isdecimal()][:6]
        segments = [get_object_or_404(Segment, pk=pk) for pk in dict.fromkeys(wanted)]
        regions = [replace(one, count=told_count(request, one.count)) for one in explain.overlap(segments)]
        return Response(RegionSerializer(regions, many=True).data)


class SegmentMembers(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "at", OpenApiTypes.DATETIME, description="Exactly who was in then; default: now"
            ),
            OpenApiParameter(
                "after",
                {"type": "integer", "minimum": 0},
                description="The last `customer` of the page before",
            ),
        ],
        responses=MemberSerializer(many=True),
    )
    def get(self, request: Request, segment_id: int) -> Response:
        """The recorded members, 1,000 a page by number. 409 when nobody kept record at that time."""
        segment = get_object_or_404(Segment, pk=segment_id)
        asked = PageIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        if not reading.may_see(request):
            raise PermissionDenied  # single people, masked or not, would count any segment to the person
        at, after = asked.validated_data.get("at") or timezone.now(), asked.validated_data["after"]
        rows = history.members_at(segment, at=at).filter(customer_id__gt=after).select_related("customer")
        shown = list(rows[:PAGE])
        reading.show(request, [row.customer for row in shown], page="segment")
        return Response(MemberSerializer(shown, many=True).data)


class SegmentSizes(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "days", {"type": "integer", "minimum": 1, "maximum": 730}, description="Default: 30"
            )
        ],
        responses=SizeSerializer(many=True),
    )
    def get(self, request: Request, segment_id: int) -> Response:
        """Members, entries and exits by day, by hour for up to 3 days."""
        segment = get_object_or_404(Segment, pk=segment_id)
        asked = DaysIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        now = timezone.now()
        since = now - timedelta(days=asked.validated_data["days"])
        told = [
            history.Size(size.at, *(told_count(request, getattr(size, name)) for name in NUMBERS))
            for size in history.sizes(segment, since=since, until=now)
        ]
        return Response(SizeSerializer(told, many=True).data)


class SegmentMoves(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(
        parameters=[
            OpenApiParameter("cursor", int, description="From the answer before; 0 begins at the first")
        ],
        responses=inline_serializer(
            "SegmentMoves", {"moves": MoveSerializer(many=True), "cursor": serializers.IntegerField()}
        ),
    )
    def get(self, request: Request, segment_id: int) -> Response:
        """Who entered and left, in order; each is told once to whoever goes on from the cursor."""
        asked = PageIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        segment = get_object_or_404(Segment, pk=segment_id)
        if not reading.may_see(request):
            raise PermissionDenied
        moves, cursor = history.changes_since(segment.pk, cursor=asked.validated_data["cursor"], limit=PAGE)
        return Response({"moves": MoveSerializer(moves, many=True).data, "cursor": cursor})
