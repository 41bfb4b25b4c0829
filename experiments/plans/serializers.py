"""Shapes of plans and decisions for the OpenAPI document."""

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import CharField, DateTimeField, DictField, ListField

from experiments.reports.serializers import PlanVersionSerializer, TakenLookSerializer
from personalization.access.known_fields import KnownFields


class VerdictOfRulesSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(["ship", "stop", "go_on"])
    code = CharField()
    variant = CharField(allow_null=True)
    standings = DictField(child=CharField())
    guards = ListField(child=CharField())
    guardrails = ListField(child=CharField())
    sentence = CharField()


class ExperimentDecisionSerializer(serializers.Serializer[Any]):
    plans = PlanVersionSerializer(many=True)
    decision = VerdictOfRulesSerializer(
        allow_null=True, help_text="Null without a plan, and before the first analysis."
    )
    next_look_at = DateTimeField(allow_null=True)
    looks = TakenLookSerializer(many=True)


class PlanWishSerializer(KnownFields, serializers.Serializer[Any]):
    plan = DictField(help_text="Wishes: metric, baseline, method, looks, length_days, … See the guide.")


class PlannedSerializer(serializers.Serializer[Any]):
    plan = DictField(help_text="The wishes completed: what the start will fix.")


class PlanChangeSerializer(KnownFields, serializers.Serializer[Any]):
    plan = DictField(help_text="The parts to change.")
    reason = CharField(max_length=500)
