"""The report for programs: the newest stored result, and the wish for a fresh one."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import selectors, tasks
from experiments.breakdowns.breakdown import GroupChoice
from experiments.models import Analysis, Experiment
from experiments.plans.document import plan_document
from experiments.reports import analyses
from experiments.reports.document import document
from experiments.reports.floored import floored
from experiments.reports.report import Report
from experiments.reports.serializers import (
    AnalysisSerializer,
    FirstAnalysisSerializer,
    GroupChoiceSerializer,
    ReportWithPlanSerializer,
)
from personalization.access.models import Scope
from personalization.access.services import actor_name
from personalization.access.time_left import seconds_left
from personalization.customers.reading import may_see


class ReportView(APIView):
    """What an experiment found, with the sums from which anybody can recompute it."""

    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(responses={200: ReportWithPlanSerializer, 202: FirstAnalysisSerializer})
    def get(self, request: Request, key: str) -> Response:
        """The newest stored result with its age. The first one is begun by asking, and answered 202 until
        it is there; later ones by POST …/analysis.
        """
        experiment = get_object_or_404(Experiment, key=key)
        found = selectors.newest_report(
            experiment, stages=self.stages(experiment), learned_from=self.learned_from(experiment)
        )
        if found is None:
            tasks.wish(experiment)
        rest = {"plan": plan_document(experiment), "analysis": analysis_document(experiment)}
        if found is None:
            return Response({"key": key, **rest}, status=status.HTTP_202_ACCEPTED)
        told = self.told(experiment, found)
        # Staff without personal data; a key's scopes say what programs read.
        return Response({**document(told if may_see(request) else floored(told)), **rest})

    def stages(self, experiment: Experiment) -> Mapping[str, Mapping[str, int]]:
        """Customers by stage and variant key; whoever sends knows them."""
        return {}

    def learned_from(self, experiment: Experiment) -> str | None:
        """Key of the metric that a learned division goes by; whoever divides knows it."""
        return None

    def told(self, experiment: Experiment, report: Report) -> Report:
        """What of the result is told; whoever sends knows which events nobody counts."""
        return report


class AnalysisView(APIView):
    staff_permission = "campaigns.view_campaign"  # as the button on the report
    required_scope = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE}

    @extend_schema(operation_id="experiments_analysis", responses=AnalysisSerializer)
    def get(self, request: Request, key: str) -> Response:
        """How old the newest result is, and whether a worker makes a new one."""
        return Response(analysis_document(get_object_or_404(Experiment, key=key)))

    @extend_schema(operation_id="experiments_analyze", request=None, responses={202: AnalysisSerializer})
    def post(self, request: Request, key: str) -> Response:
        """Asks for a fresh result. One is made at a time: while it is under way, asking again changes
        nothing.
        """
        experiment = get_object_or_404(Experiment, key=key)
        tasks.wish(experiment, force=True)
        return Response(analysis_document(experiment), status=status.HTTP_202_ACCEPTED)


class CancelAnalysisView(APIView):
    staff_permission = "campaigns.view_campaign"  # as the button on the report
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=None, responses=AnalysisSerializer)
    def post(self, request: Request, key: str) -> Response:
        """Ends the analysis under way after its step; the newest result stays. 409 when there is none."""
        experiment = get_object_or_404(Experiment, key=key)
        analyses.cancel(experiment, actor=actor_name(request))
        return Response(analysis_document(experiment))


class GroupsView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = {"GET": Scope.CAMPAIGNS_READ, "PUT": Scope.CAMPAIGNS_WRITE}

    @extend_schema(operation_id="experiments_groups", responses=GroupChoiceSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Which groups of customers the report compares."""
        row = analyses.analysis_of(get_object_or_404(Experiment, key=key))
        return Response(_choice(GroupChoice.from_json(row.groups)))

    @extend_schema(
        operation_id="experiments_choose_groups", request=GroupChoiceSerializer,
        responses=GroupChoiceSerializer,
    )  # fmt: skip
    def put(self, request: Request, key: str) -> Response:
        """Chooses them; a fresh result is begun. Chosen before the start they can prove something, later
        they give hints.
        """
        experiment = get_object_or_404(Experiment, key=key)
        body = GroupChoiceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        choice = analyses.choose_groups(experiment, **body.validated_data, actor=actor_name(request))
        tasks.wish(experiment, force=True)
        return Response(_choice(choice))


def analysis_document(experiment: Experiment) -> dict[str, Any]:
    row: Analysis = analyses.analysis_of(experiment)
    age = None if row.as_of is None else (timezone.now() - row.as_of).total_seconds()
    return {
        "status": row.status, "as_of": row.as_of, "age_seconds": age, "seconds": row.seconds,
        "asked_at": row.asked_at, "progress": {"done": row.steps_done, "of": row.steps},
        "error": row.told_error,
        "seconds_left": seconds_left(row.started_at, row.share_done) if row.is_running else None,
    }  # fmt: skip


def _choice(choice: GroupChoice) -> dict[str, Any]:
    return {**asdict(choice), "chosen_at": choice.chosen_at or None}
