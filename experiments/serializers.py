"""The shape of the report for the OpenAPI document; a test holds `document()` to it."""

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import BooleanField, CharField, DateTimeField, FloatField, IntegerField

from experiments.report import Finding
from experiments.stats import Note, Obstacle


class BoundsField(serializers.ListField):
    """Lower and upper bound; null where the interval has no end."""

    child = FloatField(allow_null=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=2, max_length=2, **kwargs)


class EffectSerializer(serializers.Serializer):
    absolute = FloatField()
    absolute_ci = BoundsField()
    relative = FloatField(allow_null=True)
    relative_ci = BoundsField(allow_null=True)
    p_value = FloatField()
    method = CharField()
    notes = serializers.ListField(child=serializers.ChoiceField([note.value for note in Note]))
    alpha = FloatField()
    alternative = CharField()
    horizon = CharField()
    variance_reduction = FloatField(allow_null=True)


class TotalSerializer(serializers.Serializer):
    value = FloatField()
    ci = BoundsField()


class VerdictSerializer(serializers.Serializer):
    finding = serializers.ChoiceField([finding.value for finding in Finding])
    metric = CharField(allow_null=True)
    variant = CharField(allow_null=True)
    baseline = CharField(allow_null=True)
    effect = EffectSerializer(allow_null=True)
    p_value = FloatField(allow_null=True)
    incremental = TotalSerializer(allow_null=True)
    is_good = BooleanField(allow_null=True)
    is_preliminary = BooleanField()
    compared = IntegerField()


class VariantSummarySerializer(serializers.Serializer):
    key = CharField()
    name = CharField()
    is_control = BooleanField()
    weight = FloatField()
    customers = IntegerField()


class SampleRatioSerializer(serializers.Serializer):
    observed = serializers.ListField(child=IntegerField())
    expected = serializers.ListField(child=FloatField())
    chi_square = FloatField()
    p_value = FloatField()
    mismatch = BooleanField()


class StatisticSerializer(serializers.Serializer):
    """A mean has sum and sum_squares (as text, exact), a proportion has successes."""

    n = IntegerField()
    sum = CharField(required=False)
    sum_squares = CharField(required=False)
    successes = IntegerField(required=False)
    value = FloatField(allow_null=True)


class ComparisonSerializer(serializers.Serializer):
    variant = CharField()
    baseline = CharField()
    effect = EffectSerializer(allow_null=True)
    obstacle = serializers.ChoiceField([reason.value for reason in Obstacle], allow_null=True)
    incremental = TotalSerializer(allow_null=True)
    adjusted_p_value = FloatField(allow_null=True)
    simultaneous = EffectSerializer(allow_null=True)


class SeriesPointSerializer(serializers.Serializer):
    day = IntegerField()
    at = DateTimeField()
    variant = CharField()
    effect = EffectSerializer(allow_null=True)


class MetricReportSerializer(serializers.Serializer):
    key = CharField()
    name = CharField()
    kind = CharField()
    event = CharField()
    direction = CharField()
    scope = CharField()
    window_days = IntegerField()
    is_primary = BooleanField()
    complete_at = DateTimeField(allow_null=True)
    baseline = CharField(allow_null=True)
    statistics = serializers.DictField(child=StatisticSerializer())
    comparisons = ComparisonSerializer(many=True)
    series = SeriesPointSerializer(many=True)


class SeedSerializer(serializers.Serializer):
    seed = CharField()
    hash_version = IntegerField()


class ReportSerializer(serializers.Serializer):
    key = CharField()
    name = CharField()
    as_of = DateTimeField()
    started_at = DateTimeField(allow_null=True)
    ended_at = DateTimeField(allow_null=True)
    alpha = FloatField()
    assignment = SeedSerializer()
    summary = CharField()
    remarks = serializers.ListField(child=CharField())
    verdict = VerdictSerializer()
    variants = VariantSummarySerializer(many=True)
    sample_ratio = SampleRatioSerializer(allow_null=True)
    metrics = MetricReportSerializer(many=True)
