"""The shape of the report for the OpenAPI document; a test holds `document()` to it."""

from rest_framework import serializers
from rest_framework.serializers import (
    BooleanField,
    CharField,
    DateTimeField,
    FloatField,
    IntegerField,
    JSONField,
)

from experiments.learning.serializers import LearnedMetricSerializer
from experiments.models import AnalysisStatus
from experiments.reports.effect_serializers import (
    BreakdownSerializer,
    EffectSerializer,
    MetricReportSerializer,
    TotalSerializer,
)
from experiments.reports.report import Finding
from personalization.access.known_fields import KnownFields


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


class AllocationSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(["learning", "personal"])
    drawn = EffectSerializer(allow_null=True, help_text="All messages as drawn, against the control.")
    effective = serializers.DictField(
        child=FloatField(), help_text="What each variant's customers are worth, weighted by their chances."
    )
    learned = LearnedMetricSerializer(many=True)
    sentences = serializers.ListField(child=CharField())


class NoticeSerializer(serializers.Serializer):
    kind = CharField()
    tone = serializers.ChoiceField(["bad", "warn"], help_text="bad: do not trust, or harm; warn: be careful.")
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


class AnalysisProgressSerializer(serializers.Serializer):
    done = IntegerField()
    of = IntegerField()


class AnalysisSerializer(serializers.Serializer):
    """How old the result is, and whether a worker makes a new one."""

    status = serializers.ChoiceField([status.value for status in AnalysisStatus])
    as_of = DateTimeField(allow_null=True, help_text="Of the newest result; null before the first.")
    age_seconds = FloatField(allow_null=True)
    seconds = FloatField(allow_null=True, help_text="What it took to make.")
    asked_at = DateTimeField(allow_null=True)
    progress = AnalysisProgressSerializer()
    error = CharField(allow_blank=True, help_text="Why the last try failed.")
    seconds_left = IntegerField(allow_null=True, help_text="Null while nothing is known, and at the end.")


class FirstAnalysisSerializer(serializers.Serializer):
    """Before the first result."""

    key = CharField()
    analysis = AnalysisSerializer()
    plan = PlanReportSerializer()


class ReportWithPlanSerializer(ReportSerializer):
    plan = PlanReportSerializer(help_text="What was promised before the start, and the looks taken.")
    analysis = AnalysisSerializer()


class GroupChoiceSerializer(KnownFields, serializers.Serializer):
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
