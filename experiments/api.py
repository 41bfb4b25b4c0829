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
from experiments.serializers import ReportSerializer
from personalization.access.models import Scope


class ReportView(APIView):
    """What an experiment found, with the sums from which anybody can recompute it."""

    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(operation_id="experiment_report", responses=ReportSerializer, tags=["experiments"])
    def get(self, request: Request, key: str) -> Response:
        experiment = get_object_or_404(Experiment, key=key)
        return Response(document(selectors.report(experiment, stages=self.stages(experiment))))

    def stages(self, experiment: Experiment) -> Mapping[str, Mapping[str, int]]:
        """Customers by stage and variant key; whoever sends knows them."""
        return {}
