"""The shape of the report for the OpenAPI document; a test holds `document()` to it."""

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

from experiments.models import AnalysisStatus
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
    direction = CharField()
    scope = CharField()
    window_days = IntegerField()
    is_primary = BooleanField()
    role = CharField()
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


class AllocationSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(["learning", "personal"])
    drawn = EffectSerializer(allow_null=True, help_text="All messages as drawn, against the control.")
    effective = serializers.DictField(
        child=FloatField(), help_text="What each variant's customers are worth, weighted by their chances."
    )
    sentences = serializers.ListField(child=CharField())


class NoticeSerializer(serializers.Serializer):
    kind = CharField()
    tone = CharField()
    text = CharField()
    metric = CharField(allow_null=True)
    variant = CharField(allow_null=True)


class PlanVersionSerializer(serializers.Serializer):
    version = IntegerField()
    terms = JSONField()
    made_by = CharField()
    made_at = DateTimeField()
    reason = CharField(allow_blank=True)


class TakenLookSerializer(serializers.Serializer):
    plan_version = IntegerField()
    number = IntegerField()
    due_at = DateTimeField()
    taken_at = DateTimeField()
    statistics = JSONField(help_text="The sums it saw, by metric and variant.")
    decision = JSONField()


class PlanReportSerializer(serializers.Serializer):
    plans = PlanVersionSerializer(many=True)
    next_look_at = DateTimeField(allow_null=True)
    looks = TakenLookSerializer(many=True)


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
    stages = JSONField()
    seen_twice = JSONField()
    last_event_at = DateTimeField(allow_null=True)
    notices = NoticeSerializer(many=True)
    versions = serializers.DictField(child=CharField())
    metrics = MetricReportSerializer(many=True)
    allocation = AllocationSerializer(
        allow_null=True, help_text="Where the variants were not shared out in fixed shares."
    )
    breakdown = BreakdownSerializer(
        allow_null=True, help_text="Effects by groups of customers; null where none were chosen."
    )


class ProgressSerializer(serializers.Serializer):
    done = IntegerField()
    of = IntegerField()


class AnalysisSerializer(serializers.Serializer):
    """How old the result is, and whether a worker makes a new one."""

    status = serializers.ChoiceField([status.value for status in AnalysisStatus])
    as_of = DateTimeField(allow_null=True, help_text="Of the newest result; null before the first.")
    age_seconds = FloatField(allow_null=True)
    seconds = FloatField(allow_null=True, help_text="What it took to make.")
    asked_at = DateTimeField(allow_null=True)
    progress = ProgressSerializer()
    error = CharField(allow_blank=True, help_text="Why the last try failed.")


class FirstAnalysisSerializer(serializers.Serializer):
    """Before the first result."""

    key = CharField()
    analysis = AnalysisSerializer()
    plan = PlanReportSerializer()


class ReportWithPlanSerializer(ReportSerializer):
    plan = PlanReportSerializer(help_text="What was promised before the start, and the looks taken.")
    analysis = AnalysisSerializer()


class GroupChoiceSerializer(serializers.Serializer):
    traits = serializers.ListField(
        child=CharField(max_length=100), default=list, help_text="Of customers; with segments at most five."
    )
    segments = serializers.ListField(child=IntegerField(), default=list, help_text="Ids of segments.")
    metric = CharField(
        allow_null=True, required=False, default=None, help_text="Key; null: the primary metric."
    )
    method = serializers.ChoiceField(
        ["holm", "bh"], default="holm",
        help_text="holm: hardly any false claim; bh: few false ones among the claims.",
    )  # fmt: skip
    chosen_at = DateTimeField(read_only=True, allow_null=True)
