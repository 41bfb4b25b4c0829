"""The API of campaigns: plan, launch, steer, watch. Services check the bodies; errors are problems."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import selectors, services, tasks
from campaigns.errors import InvalidState
from campaigns.models import Campaign, Delivery, DeliveryStatus, Message, Run, SkipReason
from campaigns.services import MessageDraft
from experiments.models import Holdout
from personalization.access.models import Scope, User
from personalization.access.pagination import CursorPagination
from personalization.access.services import actor_name
from personalization.segments.models import Segment

READ_WRITE = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE, "PUT": Scope.CAMPAIGNS_WRITE}


class MessageSerializer(serializers.ModelSerializer[Message]):
    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")

    class Meta:
        model = Message
        fields = ["key", "name", "weight", "subject", "preheader", "body"]


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    segment = serializers.PrimaryKeyRelatedField(
        queryset=Segment.objects.all(), allow_null=True, required=False, default=None
    )
    holdout = serializers.SlugRelatedField(
        queryset=Holdout.objects.filter(is_global=False, ended_at=None), slug_field="key", allow_null=True,
        required=False, default=None,
        help_text="Key of a holdout whose members get nothing; global ones are kept out anyway.",
    )  # fmt: skip
    messages = MessageSerializer(many=True)
    run = serializers.SerializerMethodField(help_text="The newest run's id; null before the launch.")

    class Meta:
        model = Campaign
        fields = [
            "id", "name", "channel", "topic", "segment", "sender_name", "sender_address", "control_share",
            "holdout", "messages", "status", "scheduled_at", "problem", "run", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["status", "scheduled_at", "problem"]

    def get_run(self, campaign: Campaign) -> int | None:
        runs = campaign.runs.all()
        return max((run.pk for run in runs), default=None)


class LaunchSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Later than now: schedules. Empty: launches."
    )


class ProgressSerializer(serializers.Serializer[Any]):
    """audience = sent + failed + skipped + unknown + pending."""

    run = serializers.IntegerField()
    status = serializers.CharField()
    note = serializers.CharField()
    audience = serializers.IntegerField()
    sent = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    unknown = serializers.IntegerField()
    pending = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField())
    variants = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    launched_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    customer = serializers.CharField(source="customer.external_id", allow_null=True, default=None)
    variant = serializers.CharField(source="variant.key", allow_null=True, default=None)

    class Meta:
        model = Delivery
        fields = [
            "id", "customer_id", "customer", "variant", "propensity", "status", "reason", "detail",
            "attempts", "sent_at", "inputs",
        ]  # fmt: skip


class CampaignsView(APIView):
    required_scope = READ_WRITE

    @extend_schema(operation_id="campaigns_list", responses=CampaignSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All campaigns, oldest first."""
        found = Campaign.objects.prefetch_related("messages", "runs").order_by("pk")
        return _page(self, request, found, CampaignSerializer)

    @extend_schema(
        operation_id="campaigns_create", request=CampaignSerializer, responses={201: CampaignSerializer}
    )
    def post(self, request: Request) -> Response:
        """Saves a new campaign as a draft."""
        campaign = _save(None, request)
        return Response(CampaignSerializer(campaign).data, status=status.HTTP_201_CREATED)


class CampaignView(APIView):
    required_scope = READ_WRITE

    @extend_schema(operation_id="campaigns_get", responses=CampaignSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One campaign with its messages."""
        return Response(CampaignSerializer(get_object_or_404(Campaign, pk=pk)).data)

    @extend_schema(operation_id="campaigns_replace", request=CampaignSerializer, responses=CampaignSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Replaces a campaign that was not launched yet, with all its messages."""
        return Response(CampaignSerializer(_save(get_object_or_404(Campaign, pk=pk), request)).data)


class LaunchView(APIView):
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(
        operation_id="campaigns_launch", request=LaunchSerializer, responses={202: CampaignSerializer}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Launches now, or schedules for `at`. A second launch is answered 409."""
        campaign = get_object_or_404(Campaign, pk=pk)
        body = LaunchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        at = body.validated_data["at"]
        with transaction.atomic():
            if at is not None:
                services.schedule(campaign, at=at, actor=actor_name(request))
            else:
                services.launch(campaign, actor=actor_name(request))
            transaction.on_commit(tasks.wake)
        campaign.refresh_from_db()
        return Response(CampaignSerializer(campaign).data, status=status.HTTP_202_ACCEPTED)


class SteerView(APIView):
    """pause, resume, cancel or retry of the newest run; which one is in the address."""

    required_scope = Scope.CAMPAIGNS_WRITE
    action = ""

    @extend_schema(request=None, responses=ProgressSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Steers the newest run and answers its progress; 409 when its state does not allow that."""
        run = _run(pk)
        steer = {
            "pause": services.pause,
            "resume": services.resume,
            "cancel": services.cancel,
            "retry": services.retry_failed,
        }[self.action]
        steer(run, actor=actor_name(request))
        tasks.wake()
        run.refresh_from_db()
        return Response(ProgressSerializer(selectors.progress(run)).data)


class ProgressView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(operation_id="campaigns_progress", responses=ProgressSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Counts of the newest run, to the person."""
        return Response(ProgressSerializer(selectors.progress(_run(pk))).data)


class DeliveriesView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(
        operation_id="campaigns_deliveries",
        parameters=[
            OpenApiParameter("status", enum=DeliveryStatus.values),
            OpenApiParameter("reason", enum=SkipReason.values),
            OpenApiParameter("cursor"),
            OpenApiParameter("page_size", int),
        ],
        responses=DeliverySerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Everyone considered by the newest run: what became of each, and why."""
        found = selectors.deliveries(
            _run(pk),
            status=_choice(request, "status", DeliveryStatus.values),
            reason=_choice(request, "reason", SkipReason.values),
        )
        return _page(self, request, found, DeliverySerializer)


def _choice(request: Request, name: str, allowed: list[str]) -> str:
    value = request.query_params.get(name, "")
    if value and value not in allowed:
        raise serializers.ValidationError({name: [f"One of: {', '.join(allowed)}."]})
    return value


def _run(campaign_id: int) -> Run:
    run = selectors.latest_run(get_object_or_404(Campaign, pk=campaign_id))
    if run is None:
        raise InvalidState("The campaign was not launched yet.")
    return run


def _page(view: APIView, request: Request, found: Any, serializer: Any) -> Response:
    paginator: BasePagination = CursorPagination()
    page: Any = paginator.paginate_queryset(found, request, view=view)
    return paginator.get_paginated_response(serializer(page, many=True).data)


def _save(campaign: Campaign | None, request: Request) -> Campaign:
    body = CampaignSerializer(campaign, data=request.data)
    body.is_valid(raise_exception=True)
    data = dict(body.validated_data)
    data["messages"] = [MessageDraft(**message) for message in data["messages"]]
    user = request.user if isinstance(request.user, User) else None
    return services.save_campaign(campaign, **data, actor=actor_name(request), created_by=user)
