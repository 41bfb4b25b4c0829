"""The report for programs."""

from collections.abc import Mapping

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import selectors
from experiments.document import document
from experiments.models import Experiment
from experiments.plan_document import plan_document
from experiments.serializers import ReportWithPlanSerializer
from personalization.access.models import Scope


class ReportView(APIView):
    """What an experiment found, with the sums from which anybody can recompute it."""

    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(operation_id="experiment_report", responses=ReportWithPlanSerializer, tags=["experiments"])
    def get(self, request: Request, key: str) -> Response:
        experiment = get_object_or_404(Experiment, key=key)
        found = document(selectors.report(experiment, stages=self.stages(experiment)))
        return Response({**found, "plan": plan_document(experiment)})

    def stages(self, experiment: Experiment) -> Mapping[str, Mapping[str, int]]:
        """Customers by stage and variant key; whoever sends knows them."""
        return {}
