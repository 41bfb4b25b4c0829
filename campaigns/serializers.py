"""The bodies of the API of campaigns. What they mean is checked by the services."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.models import Campaign, Delivery, Message, Run, RunStatus
from campaigns.pacing.rates import LEAST, MOST
from experiments.models import Holdout
from personalization.access.known_fields import KnownFields
from personalization.segments.models import Segment
from recommender.ranking.rules import MAX_MESSAGES, Rules
from recommender.ranking.rules_field import RulesField, RulesSerializer


class MessageRulesSerializer(RulesSerializer):
    not_in_last_messages = serializers.IntegerField(
        min_value=0, max_value=MAX_MESSAGES, default=0,
        help_text="No item that stood in so many of the customer's last messages.",
    )  # fmt: skip


@extend_schema_field(MessageRulesSerializer)
class MessageRulesField(RulesField):
    refused = frozenset()

    def to_representation(self, value: Any) -> dict[str, Any]:
        return super().to_representation(Rules.from_json(value))


class TextSerializer(KnownFields, serializers.Serializer[Any]):
    """What is left out is taken from the nearer language, else from the text for everybody."""

    subject = serializers.CharField(required=False, allow_blank=True, max_length=500)
    preheader = serializers.CharField(required=False, allow_blank=True, max_length=300)
    body = serializers.CharField(required=False, allow_blank=True)
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(allow_blank=True), required=False
    )


class MessageSerializer(KnownFields, serializers.ModelSerializer[Message]):
    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    rules = MessageRulesField(required=False, help_text="What the items of this message may be.")
    translations = serializers.DictField(
        child=TextSerializer(), required=False,
        help_text="The same message in further languages: by language (zh, pt-br), what is written in it.",
    )  # fmt: skip

    class Meta:
        model = Message
        fields = [
            "key", "name", "weight", "subject", "preheader", "body", "fields", "item_count", "rules",
            "missing", "translations",
        ]  # fmt: skip


class CampaignSerializer(KnownFields, serializers.ModelSerializer[Campaign]):
    segment = serializers.PrimaryKeyRelatedField(
        queryset=Segment.objects.all(), allow_null=True, required=False, default=None
    )
    holdout = serializers.SlugRelatedField(
        queryset=Holdout.objects.filter(is_global=False, ended_at=None), slug_field="key", allow_null=True,
        required=False, default=None,
        help_text="Key of a holdout whose members get nothing; global ones are kept out anyway.",
    )  # fmt: skip
    messages = MessageSerializer(many=True)
    run = serializers.SerializerMethodField(help_text="The newest run's id; null before the launch.")
    experiment = serializers.SerializerMethodField(
        help_text="Key of the newest run's experiment, whose report says what it brought; null before."
    )

    class Meta:
        model = Campaign
        fields = [
            "id", "name", "channel", "topic", "segment", "sender_name", "sender_address", "control_share",
            "kind", "holdout", "plan", "test_share", "fallback", "allocation",
            "learning", "timing", "utm", "tracks_clicks", "messages", "status",
            "scheduled_at", "problem", "run", "experiment", "archived_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["status", "scheduled_at", "problem", "archived_at"]
        extra_kwargs = {
            "sender_address": {"help_text": "Left out: DEFAULT_SENDER of the settings."},
            "control_share": {
                "help_text": "Share of the audience that gets nothing, to measure against. Left out: 0.1, "
                "and 0 where it is triggered."
            },
        }

    def get_run(self, campaign: Campaign) -> int | None:
        return run.pk if (run := _newest(campaign)) else None

    def get_experiment(self, campaign: Campaign) -> str | None:
        return run.experiment.key if (run := _newest(campaign)) else None


def _newest(campaign: Campaign) -> Run | None:
    return max(campaign.runs.all(), key=lambda run: run.pk, default=None)


class LaunchSerializer(KnownFields, serializers.Serializer[Any]):
    at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Later than now: schedules. Empty: launches."
    )


@extend_schema_field({"type": "number", "minimum": LEAST, "maximum": MOST})
class Rate(serializers.FloatField):
    """Its bounds are told by the service, like those of every other rate."""


class RateSerializer(KnownFields, serializers.Serializer[Any]):
    per_second = Rate(allow_null=True, help_text="Messages a second at most; null: as fast as it goes.")


class ProgressSerializer(serializers.Serializer[Any]):
    """audience = sent + failed + skipped + unknown + pending."""

    run = serializers.IntegerField()
    status = serializers.ChoiceField(choices=RunStatus.choices)
    note = serializers.CharField()
    audience = serializers.IntegerField()
    sent = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    unknown = serializers.IntegerField()
    pending = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField())
    waiting = serializers.DictField(
        child=serializers.IntegerField(), help_text="Pending ones that a limit holds back, by reason."
    )
    variants = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    per_second = serializers.FloatField(allow_null=True, help_text="The run's rate; null: no limit.")
    seconds_left = serializers.FloatField(
        allow_null=True, help_text="Until all are sent, at the rates of run and sender; null without one."
    )
    launched_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    customer = serializers.CharField(source="customer.external_id", allow_null=True, default=None)
    variant = serializers.CharField(source="variant.key", allow_null=True, default=None)

    class Meta:
        model = Delivery
        fields = [
            "id", "customer_id", "customer", "variant", "propensity", "status", "reason", "detail",
            "attempts", "sent_at", "inputs",
        ]  # fmt: skip
