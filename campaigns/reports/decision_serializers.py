"""Shapes of plan, decision and outlook for the OpenAPI document."""

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import (
    BooleanField,
    CharField,
    DateTimeField,
    FloatField,
    IntegerField,
)

from campaigns.models import Fallback, RolloutStatus
from experiments.plans.serializers import ExperimentDecisionSerializer
from personalization.access.known_fields import KnownFields


class OutlookSerializer(serializers.Serializer[Any]):
    metric = CharField()
    sentence = CharField()
    doubt = CharField(allow_null=True)
    is_enough = BooleanField()
    customers = IntegerField(allow_null=True)
    mean = FloatField(allow_null=True)
    standard_deviation = FloatField(allow_null=True)
    share_above_zero = FloatField(allow_null=True)
    detectable = FloatField(
        allow_null=True, help_text="The smallest rise found with the power, as a fraction."
    )
    wanted = FloatField(allow_null=True)
    power = FloatField(allow_null=True)
    power_for_wanted = FloatField(allow_null=True)
    customers_needed = IntegerField(allow_null=True, help_text="For the wanted rise.")
    days_needed = FloatField(allow_null=True)
    resampled_power = FloatField(allow_null=True, help_text="Measured on groups drawn from the past.")


class RolloutSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(RolloutStatus.choices)
    variant = CharField(allow_null=True)
    code = CharField(allow_blank=True)
    is_fallback = BooleanField()
    fallback = serializers.ChoiceField(Fallback.choices)
    decided_at = DateTimeField(allow_null=True)
    decided_by = CharField(allow_blank=True)
    sentence = CharField()


class DecisionSerializer(ExperimentDecisionSerializer):
    rest = RolloutSerializer(allow_null=True, help_text="Null when the whole audience took part.")


class WinnerChoiceSerializer(KnownFields, serializers.Serializer[Any]):
    variant = CharField(allow_null=True, help_text="Key of a message; null sends the rest nothing.")
