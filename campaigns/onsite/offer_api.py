"""The API of placements and offers: draft, start, pause, end. Services check the bodies."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.item_choice import DEFAULT_COUNT, MAX_COUNT
from campaigns.onsite import services
from campaigns.onsite.features import MAX_NAMES
from campaigns.onsite.models import Offer, OfferContent, Order, Placement
from campaigns.onsite.services import ContentDraft, OfferDraft
from experiments.models import Metric
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope, User
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name
from personalization.segments.models import Segment
from recommender.ranking.references import write_rules
from recommender.ranking.rules import Rules
from recommender.ranking.rules_field import RulesField

READ_WRITE = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE, "PUT": Scope.CAMPAIGNS_WRITE}


class PlacementSerializer(KnownFields, serializers.ModelSerializer[Placement]):
    key = serializers.CharField(max_length=50, help_text="Small letters, digits, - and _. Never changed.")
    order = serializers.ChoiceField(choices=Order.choices, default=Order.PRIORITY)
    metric = serializers.SlugRelatedField(
        slug_field="key", queryset=Metric.objects.filter(archived_at=None), allow_null=True, required=False,
        default=None, help_text="What counts as earned; for the order `incremental`.",
    )  # fmt: skip

    tells_apart = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, default=list, max_length=MAX_NAMES,
        help_text="For the order `incremental`: device, daypart, weekend, country, language, traits.",
    )  # fmt: skip

    class Meta:
        model = Placement
        fields = ["key", "name", "fallback", "order", "metric", "tells_apart", "created_at"]


class _Rules(RulesField):
    refused = frozenset()

    def to_representation(self, value: Any) -> dict[str, Any]:
        return write_rules(Rules.from_json(value) if isinstance(value, dict) else value)


class ContentSerializer(KnownFields, serializers.ModelSerializer[OfferContent]):
    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    weight = serializers.FloatField(default=1.0, help_text="Relative to the other variants.")
    body = serializers.CharField(
        max_length=200_000, trim_whitespace=False, help_text="HTML with Liquid, as in messages."
    )
    item_count = serializers.IntegerField(min_value=1, max_value=MAX_COUNT, default=DEFAULT_COUNT)
    rules = _Rules(required=False, help_text="What the items may be.")

    class Meta:
        model = OfferContent
        fields = ["key", "name", "weight", "body", "item_count", "rules"]


class OfferSerializer(KnownFields, serializers.ModelSerializer[Offer]):
    placement = serializers.SlugRelatedField(
        slug_field="key", queryset=Placement.objects.filter(archived_at=None), help_text="Its key."
    )
    segment = serializers.PrimaryKeyRelatedField(
        queryset=Segment.objects.all(), allow_null=True, required=False, default=None
    )
    contents = ContentSerializer(many=True)
    experiment: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="key", read_only=True, help_text="Its report says what the offer brought."
    )

    class Meta:
        model = Offer
        fields = [
            "id", "placement", "name", "segment", "priority", "value", "control_share", "max_views",
            "view_days", "starts_at", "ends_at", "contents", "status", "experiment", "created_at",
            "updated_at",
        ]  # fmt: skip
        read_only_fields = ["status"]

    def draft(self) -> OfferDraft:
        given = dict(self.validated_data)
        contents = [ContentDraft(**one) for one in given.pop("contents")]
        return OfferDraft(contents=contents, **given)


class PlacementsView(APIView):
    staff_permission = "onsite.add_placement"
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(responses=PlacementSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All placements, oldest first."""
        return answer_page(self, request, Placement.objects.order_by("pk"), PlacementSerializer)

    @extend_schema(request=PlacementSerializer, responses={201: PlacementSerializer})
    def post(self, request: Request) -> Response:
        """A slot on a page that may ask what to show."""
        body = PlacementSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = {"fallback": "", **body.validated_data}
        made = services.save_placement(None, **asked, actor=actor_name(request))
        return Response(PlacementSerializer(made).data, status=status.HTTP_201_CREATED)


class PlacementView(APIView):
    staff_permission = "onsite.change_placement"
    required_scope = READ_WRITE

    @extend_schema(responses=PlacementSerializer)
    def get(self, request: Request, key: str) -> Response:
        return Response(PlacementSerializer(get_object_or_404(Placement, key=key)).data)

    @extend_schema(request=PlacementSerializer, responses=PlacementSerializer)
    def put(self, request: Request, key: str) -> Response:
        """The key stays."""
        placement = get_object_or_404(Placement, key=key)
        body = PlacementSerializer(data=dict(request.data) | {"key": key})
        body.is_valid(raise_exception=True)
        asked = {"fallback": "", **body.validated_data}
        return Response(
            PlacementSerializer(services.save_placement(placement, **asked, actor=actor_name(request))).data
        )


class OffersView(APIView):
    staff_permission = "onsite.add_offer"
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(responses=OfferSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All offers, oldest first."""
        found = Offer.objects.select_related("placement", "experiment").prefetch_related("contents")
        return answer_page(self, request, found.order_by("pk"), OfferSerializer)

    @extend_schema(request=OfferSerializer, responses={201: OfferSerializer})
    def post(self, request: Request) -> Response:
        """A draft: nobody sees it before its start."""
        body = OfferSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        by = request.user if isinstance(request.user, User) else None
        made = services.save_offer(None, body.draft(), by=by, actor=actor_name(request))
        return Response(OfferSerializer(made).data, status=status.HTTP_201_CREATED)


class OfferView(APIView):
    staff_permission = "onsite.change_offer"
    required_scope = READ_WRITE

    @extend_schema(responses=OfferSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(OfferSerializer(get_object_or_404(Offer, pk=pk)).data)

    @extend_schema(request=OfferSerializer, responses=OfferSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """A draft or a paused offer. Once started, its variants can be reworded, but none added."""
        offer = get_object_or_404(Offer, pk=pk)
        body = OfferSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(
            OfferSerializer(services.save_offer(offer, body.draft(), by=None, actor=actor_name(request))).data
        )


class SteerView(APIView):
    staff_permission = "onsite.change_offer"
    required_scope = Scope.CAMPAIGNS_WRITE
    action = ""

    @extend_schema(request=None, responses=OfferSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """start: live within its dates, as an experiment. pause: not shown any more. end: for good."""
        offer, actor = get_object_or_404(Offer, pk=pk), actor_name(request)
        if self.action == "start":
            offer = services.start_offer(offer, at=timezone.now(), actor=actor)
        elif self.action == "pause":
            offer = services.pause_offer(offer, actor=actor)
        else:
            offer = services.end_offer(offer, at=timezone.now(), actor=actor)
        return Response(OfferSerializer(offer).data)
