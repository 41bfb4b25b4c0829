"""The API of campaigns: plan, launch, steer, watch. Services check the bodies; errors are problems."""

from functools import partial
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import selectors, services, tasks
from campaigns.errors import InvalidState
from campaigns.models import Campaign, DeliveryStatus, Run, SkipReason
from campaigns.planning.outlook import outlook_of
from campaigns.reports.decision_document import decision_document_of
from campaigns.reports.decision_serializers import (
    DecisionSerializer,
    OutlookSerializer,
    WinnerChoiceSerializer,
)
from campaigns.reports.found import wish
from campaigns.rollout import winner
from campaigns.serializers import (
    CampaignSerializer,
    DeliverySerializer,
    LaunchSerializer,
    ProgressSerializer,
    RateSerializer,
)
from campaigns.services import MessageDraft
from experiments.plans.plan import amend_plan
from experiments.plans.serializers import PlanChangeSerializer
from personalization.access.models import Scope, User
from personalization.access.pagination import PAGE_SIZE, CursorPagination, answer_page
from personalization.access.services import actor_name
from personalization.customers.reading import MASK, may_see, note_read
from personalization.privacy.floor import is_reportable, smallest_cell
from personalization.privacy.told import told_count

READ_WRITE = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE, "PUT": Scope.CAMPAIGNS_WRITE}


class CampaignsView(APIView):
    staff_permission = "campaigns.add_campaign"
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(responses=CampaignSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All campaigns, oldest first."""
        found = Campaign.objects.prefetch_related("messages", "runs__experiment").order_by("pk")
        return answer_page(self, request, found, CampaignSerializer)

    @extend_schema(request=CampaignSerializer, responses={201: CampaignSerializer})
    def post(self, request: Request) -> Response:
        """Saves a new campaign as a draft."""
        campaign = _save(None, request)
        return Response(CampaignSerializer(campaign).data, status=status.HTTP_201_CREATED)


class CampaignView(APIView):
    required_scope = READ_WRITE

    @extend_schema(responses=CampaignSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One campaign with its messages."""
        return Response(CampaignSerializer(get_object_or_404(Campaign, pk=pk)).data)

    @extend_schema(request=CampaignSerializer, responses=CampaignSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Replaces a campaign that was not launched yet, with all its messages."""
        return Response(CampaignSerializer(_save(get_object_or_404(Campaign, pk=pk), request)).data)


class LaunchView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=LaunchSerializer, responses={202: CampaignSerializer})
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
    """pause, resume, cancel, retry or close of the newest run; which one is in the address."""

    staff_permission = "campaigns.launch_campaign"
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
            "close": services.close,
        }[self.action]
        steer(run, actor=actor_name(request))
        tasks.wake()
        run.refresh_from_db()
        return Response(ProgressSerializer(_progress(request, run)).data)


class RateView(APIView):
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=RateSerializer, responses=ProgressSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Changes how fast the newest run goes out, from now on; 409 when it has ended."""
        run = _run(pk)
        body = RateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.change_rate(run, per_second=body.validated_data["per_second"], actor=actor_name(request))
        tasks.wake()
        return Response(ProgressSerializer(_progress(request, run)).data)


class OutlookView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(responses=OutlookSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What the campaign's test could see, from the real numbers of past customers in its segment."""
        found = outlook_of(get_object_or_404(Campaign, pk=pk), told=partial(told_count, request))
        if found is None:
            raise InvalidState("There is nothing to compare, nobody to send to, or no metric yet.")
        return Response(found)


class DecisionView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = READ_WRITE

    @extend_schema(operation_id="campaigns_decision", responses=DecisionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """The newest run's plan in all versions, its looks, what the rules say, and what the rest gets. What
        they say is null until the first analysis, which is begun by asking."""
        run = _run(pk)
        wish(run.experiment)
        return Response(decision_document_of(run))

    @extend_schema(
        operation_id="campaigns_choose_winner", request=WinnerChoiceSerializer, responses=DecisionSerializer
    )
    def post(self, request: Request, pk: int) -> Response:
        """Chooses by hand what the rest gets; the error rate that the plan promises does not cover this."""
        body = WinnerChoiceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run = _run(pk)
        winner.decide_by_hand(run, variant=body.validated_data["variant"], actor=actor_name(request))
        tasks.wake()
        return Response(decision_document_of(run))


class PlanView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(
        operation_id="campaigns_change_plan", request=PlanChangeSerializer, responses=DecisionSerializer
    )
    def post(self, request: Request, pk: int) -> Response:
        """A new version of the newest run's plan, with the reason, which the report shows."""
        body = PlanChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run = _run(pk)
        amend_plan(
            run.experiment, body.validated_data["plan"], reason=body.validated_data["reason"],
            actor=actor_name(request), at=timezone.now(),
        )  # fmt: skip
        return Response(decision_document_of(run))


class ProgressView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(responses=ProgressSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Counts of the newest run, to the person; in steps for staff who may not see personal data."""
        return Response(ProgressSerializer(_progress(request, _run(pk))).data)


class DeliveriesView(APIView):
    required_scope = Scope.CAMPAIGNS_READ
    pagination_class = CursorPagination

    @extend_schema(
        parameters=[
            OpenApiParameter("status", enum=DeliveryStatus.values),
            OpenApiParameter("reason", enum=SkipReason.values),
            OpenApiParameter("cursor"),
            OpenApiParameter("page_size", PAGE_SIZE),
        ],
        responses=DeliverySerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Everyone considered by the newest run: what became of each, and why. Staff who may not see personal
        data are refused where they are too few."""
        found = selectors.deliveries(
            _run(pk),
            status=_choice(request, "status", DeliveryStatus.values),
            reason=_choice(request, "reason", SkipReason.values),
        )
        if not may_see(request) and not is_reportable(found.order_by()[: smallest_cell()].count()):
            raise PermissionDenied
        response = answer_page(self, request, found, DeliverySerializer)
        rows = response.data["results"]
        if may_see(request):
            note_read(request, [r["customer_id"] for r in rows if r["customer_id"]], page="API: deliveries")
        else:
            for row in rows:  # what a server answered may repeat the address
                row.update(customer=MASK if row["customer"] else None, detail="")
        return response


def _choice(request: Request, name: str, allowed: list[str]) -> str:
    value = request.query_params.get(name, "")
    if value and value not in allowed:
        raise serializers.ValidationError({name: [f"One of: {', '.join(allowed)}."]})
    return value


def _progress(request: Request, run: Run) -> dict[str, Any]:
    return selectors.told_progress(selectors.progress(run), whole=may_see(request))


def _run(campaign_id: int) -> Run:
    run = selectors.latest_run(get_object_or_404(Campaign, pk=campaign_id))
    if run is None:
        raise InvalidState("The campaign was not launched yet.")
    return run


def _save(campaign: Campaign | None, request: Request) -> Campaign:
    body = CampaignSerializer(campaign, data=request.data)
    body.is_valid(raise_exception=True)
    data = dict(body.validated_data)
    data["messages"] = [MessageDraft(**message) for message in data["messages"]]
    user = request.user if isinstance(request.user, User) else None
    return services.save_campaign(campaign, **data, actor=actor_name(request), created_by=user)
