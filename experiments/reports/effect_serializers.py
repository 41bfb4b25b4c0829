"""The shape of effects in the report: of each metric, and by groups of customers."""

from typing import Any

from rest_framework import serializers
from rest_framework.serializers import (
    BooleanField,
    CharField,
    DateTimeField,
    FloatField,
    IntegerField,
    JSONField,
)

from experiments.models import Direction, MetricRole, MetricScope
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


class StatisticSerializer(serializers.Serializer):
    """`kind` names a class of experiments.stats and says which sums there are; sums are text and exact."""

    kind = CharField()
    n = IntegerField()
    sum = CharField(required=False)
    sum_squares = CharField(required=False)
    successes = IntegerField(required=False)
    cap = CharField(required=False, allow_null=True)
    num_sum = CharField(required=False)
    num_sum_squares = CharField(required=False)
    den_sum = CharField(required=False)
    den_sum_squares = CharField(required=False)
    num_den_sum_products = CharField(required=False)
    post = JSONField(required=False)
    pre = JSONField(required=False)
    sum_products = CharField(required=False)
    level = FloatField(required=False)
    counts = JSONField(required=False)
    value = FloatField(allow_null=True)


class ComparisonSerializer(serializers.Serializer):
    variant = CharField()
    baseline = CharField()
    effect = EffectSerializer(allow_null=True)
    obstacle = serializers.ChoiceField([reason.value for reason in Obstacle], allow_null=True)
    incremental = TotalSerializer(allow_null=True)
    adjusted_p_value = FloatField(allow_null=True)
    simultaneous = EffectSerializer(allow_null=True)
    always_valid = EffectSerializer(allow_null=True)
    unadjusted = EffectSerializer(allow_null=True)
    belief = JSONField(allow_null=True)
    guardrail = JSONField(allow_null=True)
    denominator = JSONField(allow_null=True)
    counts = JSONField(allow_null=True)
    novelty = JSONField(allow_null=True)
    family_p_value = FloatField(allow_null=True)


class SeriesPointSerializer(serializers.Serializer):
    day = IntegerField()
    at = DateTimeField()
    variant = CharField()
    effect = EffectSerializer(allow_null=True)
    always_valid = EffectSerializer(allow_null=True)
    statistics = JSONField(allow_null=True)


class MetricReportSerializer(serializers.Serializer):
    key = CharField()
    name = CharField()
    kind = CharField()
    event = CharField()
    direction = serializers.ChoiceField(Direction.choices)
    scope = serializers.ChoiceField(MetricScope.choices)
    window_days = IntegerField()
    is_primary = BooleanField()
    role = serializers.ChoiceField(MetricRole.choices)
    margin = FloatField(allow_null=True)
    definition = JSONField()
    complete_at = DateTimeField(allow_null=True)
    baseline = CharField(allow_null=True)
    statistics = serializers.DictField(child=StatisticSerializer())
    comparisons = ComparisonSerializer(many=True)
    against_control = ComparisonSerializer(
        many=True, help_text="Where the plan's baseline is a message: against those who got nothing."
    )
    weighted_values = serializers.DictField(
        child=FloatField(),
        allow_null=True,
        help_text="By variant, where the chances differed: see allocation.",
    )
    series = SeriesPointSerializer(many=True)
    daily = JSONField()


class HeterogeneitySerializer(serializers.Serializer):
    q = FloatField()
    degrees = IntegerField()
    p_value = FloatField()


class GroupEffectSerializer(serializers.Serializer):
    label = CharField()  # type: ignore[assignment]  # a field of the answer, not the serializer's own label
    statistics = serializers.DictField(child=StatisticSerializer())
    effect = EffectSerializer(allow_null=True, help_text="For this group alone.")
    simultaneous = EffectSerializer(allow_null=True, help_text="Holds for all groups together.")
    p_value = FloatField(allow_null=True, help_text="Over all groups; goes with `simultaneous`.")
    obstacle = serializers.ChoiceField([reason.value for reason in Obstacle], allow_null=True)


class CutSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(["trait", "segment"])
    key = CharField()
    name = CharField()
    variant = CharField()
    baseline = CharField()
    heterogeneity = HeterogeneitySerializer(allow_null=True)
    p_value = FloatField(allow_null=True, help_text="Of a difference between the groups, over all tests.")
    differs = BooleanField(allow_null=True, help_text="False: no evidence. It does not mean they are equal.")
    groups = GroupEffectSerializer(many=True)


class LeftOutSerializer(serializers.Serializer):
    name = CharField()
    reason = CharField()


class BreakdownSerializer(serializers.Serializer):
    metric = CharField()
    method = serializers.ChoiceField(["holm", "bh"])
    alpha = FloatField()
    effects = IntegerField(help_text="How many effects the correction counts.")
    least_customers = IntegerField(help_text="Every group has so many customers in every variant.")
    chosen_before_start = BooleanField()
    sentences = serializers.ListField(child=CharField())
    left_out = LeftOutSerializer(many=True)
    cuts = CutSerializer(many=True)
