"""What everything together earned against a holdout, for programs."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import tasks
from experiments.long_runs.study import ask_for_long_run, long_run_sentence
from experiments.models import Holdout, LongRunStudy
from experiments.reports.effect_serializers import EffectSerializer, TotalSerializer
from experiments.reports.floored_studies import told_long_run
from experiments.reports.newest_studies import newest_first
from experiments.reports.sentence import withheld_sentence
from personalization.access.jobs.shown import JobFields, job_document
from personalization.access.jobs.work import cancel_job
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import actor_name
from personalization.customers.reading import may_see


class WeekSerializer(serializers.Serializer[Any]):
    """Over all weeks so far, in the shop's currency."""

    until_week = serializers.DateField()
    effect = EffectSerializer(allow_null=True, help_text="Revenue per customer.")
    revenue = TotalSerializer(allow_null=True)
    profit = TotalSerializer(allow_null=True)
    revenue_per_thousand = TotalSerializer(allow_null=True)
    profit_per_thousand = TotalSerializer(allow_null=True)
    customers = serializers.IntegerField()
    held_out = serializers.IntegerField()
    messages = serializers.IntegerField()
    cost = serializers.FloatField()


class LongRunSerializer(JobFields):
    as_of = serializers.DateTimeField()
    sentence = serializers.CharField(allow_blank=True)
    cost = serializers.FloatField()
    margin = serializers.FloatField()
    event = serializers.CharField()
    weeks = WeekSerializer(many=True)


class NewLongRunSerializer(KnownFields, serializers.Serializer[Any]):
    cost = serializers.FloatField(default=0.0, min_value=0, help_text="Of one message.")
    margin = serializers.FloatField(default=1.0, help_text="Share of revenue that is left, for example 0.4.")
    event = serializers.CharField(
        default="Order Completed", max_length=200, help_text="Whose value is revenue."
    )


class LongRunView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE}

    @extend_schema(operation_id="holdouts_long_run", responses=LongRunSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        """The newest ten computations; of those that failed or were canceled only the newest of all."""
        holdout = get_object_or_404(Holdout, key=key)
        return Response([_answer(one, request) for one in newest_first(holdout.long_run.all())[:10]])

    @extend_schema(
        operation_id="holdouts_compute_long_run", request=NewLongRunSerializer,
        responses={202: LongRunSerializer},
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        """Asks for cumulative incremental revenue and profit, week by week; a worker computes them."""
        holdout = get_object_or_404(Holdout, key=key)
        body = NewLongRunSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            kept = ask_for_long_run(
                holdout, **body.validated_data, now=timezone.now(), actor=actor_name(request)
            )
            tasks.hand_over(tasks.compute_long_run, kept.pk)
        return Response(_answer(kept, request), status=status.HTTP_202_ACCEPTED)


class CancelLongRunView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=None, responses=LongRunSerializer)
    def post(self, request: Request, key: str, pk: int) -> Response:
        """Ends a computation that waits or is under way; nothing is kept of it."""
        kept = get_object_or_404(LongRunStudy, holdout__key=key, pk=pk)
        cancel_job(kept, kind="long_run", actor=actor_name(request))
        return Response(_answer(kept, request))


def _answer(kept: LongRunStudy, request: Request) -> dict[str, Any]:
    told = told_long_run(kept, whole=may_see(request))
    weeks = [{name: week[name] for name in WeekSerializer().fields} for week in kept.weeks or []]
    return {
        **job_document(kept), "as_of": kept.as_of,
        "sentence": long_run_sentence(kept) if told else withheld_sentence(), **kept.wishes, "weeks": weeks,
    }  # fmt: skip
