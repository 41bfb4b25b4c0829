"""Whom to mail next time, for programs."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.models import Experiment, TargetingStudy
from experiments.targeting_sentence import subgroups_sentence, targeting_sentence
from personalization.access.models import Scope


class TargetingSerializer(serializers.Serializer[Any]):
    metric = serializers.CharField()
    variant = serializers.CharField()
    as_of = serializers.DateTimeField()
    offer = serializers.ChoiceField(choices=["model", "rule", "nobody"])
    sentence = serializers.CharField(help_text="In the language of Accept-Language.")
    subgroups_sentence = serializers.CharField()
    segment_definition = serializers.JSONField(
        allow_null=True, help_text="Of the offered rule, ready for a segment; null when none is offered."
    )
    document = serializers.JSONField(help_text="All figures: see docs/targeting.md.")


class TargetingView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(
        operation_id="experiment_targeting", responses=TargetingSerializer(many=True), tags=["experiments"]
    )
    def get(self, request: Request, key: str) -> Response:
        """The newest study of each metric and variant; `manage.py uplift` makes them."""
        experiment = get_object_or_404(Experiment, key=key)
        studies = (
            TargetingStudy.objects.filter(experiment=experiment)
            .order_by("metric_id", "variant_id", "-created_at", "-pk")
            .distinct("metric_id", "variant_id")
            .select_related("metric", "variant")
        )
        return Response([_answer(study) for study in studies])


def _answer(study: TargetingStudy) -> dict[str, Any]:
    return {
        "metric": study.metric.key,
        "variant": study.variant.key,
        "as_of": study.as_of,
        "offer": study.offer,
        "sentence": targeting_sentence(study),
        "subgroups_sentence": subgroups_sentence(study),
        "segment_definition": study.document["rule"]["definition"] if study.offer == "rule" else None,
        "document": study.document,
    }
