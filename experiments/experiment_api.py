"""The API of experiments: make, start, ramp up, end, ship, and import assignments made elsewhere."""

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import services
from experiments.experiment_serializers import (
    AssignmentsSerializer,
    ExperimentChangeSerializer,
    ExperimentDetailSerializer,
    ExperimentEndSerializer,
    ExperimentSerializer,
    ExperimentStartSerializer,
    ImportedSerializer,
    NewExperimentSerializer,
)
from experiments.importing import ImportedRow, import_assignments
from experiments.models import Experiment, Origin
from experiments.plans.plan import promise
from experiments.selectors import own_experiment
from personalization.access.models import Scope
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name, audit

READ_WRITE = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE, "PATCH": Scope.CAMPAIGNS_WRITE}


class ExperimentsView(APIView):
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(responses=ExperimentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All experiments, those of campaigns too, oldest first."""
        found = Experiment.objects.prefetch_related("variants").order_by("pk")
        return answer_page(self, request, found, ExperimentSerializer)

    @extend_schema(request=NewExperimentSerializer, responses={201: ExperimentSerializer})
    def post(self, request: Request) -> Response:
        """Makes an experiment; it takes nobody in before its start."""
        body = NewExperimentSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            experiment = services.create_experiment(**body.arguments(), origin=Origin.API)
            audit(actor_name(request), "experiment.created", f"experiment:{experiment.key}")
        return Response(ExperimentSerializer(experiment).data, status=status.HTTP_201_CREATED)


class ExperimentView(APIView):
    required_scope = READ_WRITE

    @extend_schema(responses=ExperimentDetailSerializer)
    def get(self, request: Request, key: str) -> Response:
        """One experiment with its variants, and how many customers saw one."""
        return Response(ExperimentDetailSerializer(get_object_or_404(Experiment, key=key)).data)

    @extend_schema(request=ExperimentChangeSerializer, responses=ExperimentSerializer)
    def patch(self, request: Request, key: str) -> Response:
        """Raises the coverage, or stops serving it to clients. Nobody who takes part is moved."""
        experiment = own_experiment(key)
        body = ExperimentChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            if "coverage" in body.validated_data:
                services.change_coverage(experiment, coverage=body.validated_data["coverage"])
            if "is_served" in body.validated_data:
                services.serve(experiment, is_served=body.validated_data["is_served"])
            audit(actor_name(request), "experiment.changed", f"experiment:{key}", **body.validated_data)
        return Response(ExperimentSerializer(experiment).data)


class StartView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=ExperimentStartSerializer, responses=ExperimentSerializer)
    def post(self, request: Request, key: str) -> Response:
        """The first start counts; starting again changes nothing. The plan is fixed with it: see PUT
        …/plan. A start in the past fixes none."""
        experiment = own_experiment(key)
        body = ExperimentStartSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            now = timezone.now()
            services.start_experiment(experiment, at=body.validated_data["at"] or now)
            promise(experiment, actor=actor_name(request), now=now)
            audit(actor_name(request), "experiment.started", f"experiment:{key}")
        return Response(ExperimentSerializer(experiment).data)


class EndView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=ExperimentEndSerializer, responses=ExperimentSerializer)
    def post(self, request: Request, key: str) -> Response:
        """Nobody is taken in any more. `ship` names the variant that clients give from now on; a later call
        may raise its share."""
        experiment = own_experiment(key)
        body = ExperimentEndSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        with transaction.atomic():
            services.end_experiment(experiment, at=asked["at"] or timezone.now())
            if asked["ship"]:
                services.ship(experiment, variant_key=asked["ship"], share=asked["share"])
            audit(actor_name(request), "experiment.ended", f"experiment:{key}", ship=asked["ship"])
        return Response(ExperimentSerializer(experiment).data)


class AssignmentsView(APIView):
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(
        operation_id="experiments_import_assignments",
        request=AssignmentsSerializer,
        responses=ImportedSerializer,
    )
    def post(self, request: Request, key: str) -> Response:
        """Writes up to 1,000 assignments made elsewhere, all or none; sending them again changes nothing."""
        experiment = own_experiment(key)
        body = AssignmentsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        rows = [
            ImportedRow(row["customer"], row["assigned_at"] or now, row["variant"], row["propensity"])
            for row in body.validated_data["assignments"]
        ]
        result = import_assignments(experiment, rows, now=now)
        audit(actor_name(request), "assignments.imported", f"experiment:{key}", created=result.created)
        return Response({"created": result.created, "unchanged": result.unchanged})
