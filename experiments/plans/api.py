"""The API of plans and decisions of experiments that no campaign steers; those of campaigns have their
own."""

from dataclasses import asdict

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import tasks
from experiments.looks.decision_document import decision_document_of
from experiments.models import Experiment
from experiments.plans.plan import amend_plan, wish_plan
from experiments.plans.serializers import (
    ExperimentDecisionSerializer,
    PlanChangeSerializer,
    PlannedSerializer,
    PlanWishSerializer,
)
from experiments.selectors import own_experiment
from personalization.access.models import Scope
from personalization.access.services import actor_name


class PlanView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(operation_id="experiments_plan", request=PlanWishSerializer, responses=PlannedSerializer)
    def put(self, request: Request, key: str) -> Response:
        """Before the start: what is to decide, when, and how surely. Answers the plan that the start will
        fix."""
        body = PlanWishSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = wish_plan(
            own_experiment(key), body.validated_data["plan"], actor=actor_name(request), at=timezone.now()
        )
        return Response({"plan": asdict(found)})

    @extend_schema(
        operation_id="experiments_change_plan", request=PlanChangeSerializer,
        responses=ExperimentDecisionSerializer,
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        """After the start: a new version with the reason, which the report shows."""
        body = PlanChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        experiment = own_experiment(key)
        amend_plan(
            experiment, body.validated_data["plan"], reason=body.validated_data["reason"],
            actor=actor_name(request), at=timezone.now(),
        )  # fmt: skip
        return Response(decision_document_of(experiment))


class DecisionView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(responses=ExperimentDecisionSerializer)
    def get(self, request: Request, key: str) -> Response:
        """The plan in all versions, its looks, and what the rules say by the newest result."""
        experiment = get_object_or_404(Experiment, key=key)
        tasks.wish(experiment)
        return Response(decision_document_of(experiment))
