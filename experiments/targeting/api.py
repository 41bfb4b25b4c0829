"""Whom to mail next time, for programs."""

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
from experiments.models import Experiment, Metric, TargetingStudy
from experiments.reports.floored_studies import told_targeting
from experiments.reports.newest_studies import newest_targeting
from experiments.reports.sentence import withheld_sentence
from experiments.targeting.sentence import subgroups_sentence, targeting_sentence
from experiments.targeting.study import ask_for_study
from personalization.access.jobs.shown import JobFields, job_document
from personalization.access.jobs.work import cancel_job
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import actor_name
from personalization.customers.reading import may_see


class TargetingSerializer(JobFields):
    metric = serializers.CharField()
    variant = serializers.CharField()
    as_of = serializers.DateTimeField()
    offer = serializers.ChoiceField(
        choices=["", "model", "rule", "nobody"], help_text="Empty before it is made."
    )
    used_as = serializers.CharField(allow_blank=True, help_text="Name of the segment or trait made of it.")
    sentence = serializers.CharField(allow_blank=True, help_text="In the language of Accept-Language.")
    subgroups_sentence = serializers.CharField(allow_blank=True)
    segment_definition = serializers.JSONField(
        allow_null=True, help_text="Of the offered rule, ready for a segment; null when none is offered."
    )
    document = serializers.JSONField(allow_null=True, help_text="All figures: see docs/targeting.md.")


class NewStudySerializer(KnownFields, serializers.Serializer[Any]):
    metric = serializers.SlugRelatedField(queryset=Metric.objects.filter(archived_at=None), slug_field="key")
    variant = serializers.CharField(help_text="Key of a message.")
    traits = serializers.ListField(
        child=serializers.CharField(max_length=100), default=list,
        help_text="To look at; empty: all. Name those that the message itself cannot change.",
    )  # fmt: skip
    cost = serializers.FloatField(default=0.0, help_text="What a message must bring, in the metric's unit.")
    save_segment = serializers.CharField(
        max_length=100, allow_blank=True, default="", help_text="An offered rule is saved under this name."
    )
    write_trait = serializers.RegexField(
        r"^[A-Za-z0-9_]*$", max_length=100, allow_blank=True, default="",
        help_text="An offered model's scores are written to every customer under this name.",
    )  # fmt: skip


class TargetingView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE}

    @extend_schema(operation_id="experiments_targeting", responses=TargetingSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        """The newest study of each metric and variant, and the newest that is done, where that is another."""
        experiment = get_object_or_404(Experiment, key=key)
        return Response([_answer(study, request) for study in newest_targeting(experiment)])

    @extend_schema(
        operation_id="experiments_study_targeting", request=NewStudySerializer,
        responses={202: TargetingSerializer},
    )  # fmt: skip
    def post(self, request: Request, key: str) -> Response:
        """Asks for a study; a worker makes it. Segment and trait are made only where the gate allows it."""
        experiment = get_object_or_404(Experiment, key=key)
        body = NewStudySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        variant = get_object_or_404(experiment.variants, key=asked["variant"])
        with transaction.atomic():
            kept = ask_for_study(
                experiment, asked["metric"], variant, now=timezone.now(), traits=asked["traits"],
                cost=asked["cost"], save_segment_as=asked["save_segment"],
                write_trait_as=asked["write_trait"], actor=actor_name(request),
            )  # fmt: skip
            tasks.hand_over(tasks.study_targeting, kept.pk)
        return Response(_answer(kept, request), status=status.HTTP_202_ACCEPTED)


class CancelTargetingView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=None, responses=TargetingSerializer)
    def post(self, request: Request, key: str, pk: int) -> Response:
        """Ends a study that waits or is under way. Scores that were written by then stay."""
        study = get_object_or_404(TargetingStudy, experiment__key=key, pk=pk)
        cancel_job(study, kind="targeting", actor=actor_name(request))
        return Response(_answer(study, request))


def _answer(study: TargetingStudy, request: Request) -> dict[str, Any]:
    told = told_targeting(study, whole=may_see(request))
    document = study.document
    return {
        **job_document(study),
        "metric": study.metric.key,
        "variant": study.variant.key,
        "as_of": study.as_of,
        "offer": study.offer,
        "used_as": study.used_as,
        "sentence": targeting_sentence(study) if told else withheld_sentence(),
        "subgroups_sentence": subgroups_sentence(study),
        "segment_definition": document["rule"]["definition"] if document and study.offer == "rule" else None,
        "document": document,
    }
