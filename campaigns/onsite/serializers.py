"""What `/decide` is asked and answers, field by field: read by the views, shown in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.onsite import showing
from campaigns.onsite.next_best import MEASURED, TAILORED, UNKNOWN
from campaigns.onsite.reading import MAX_PLACEMENTS, MAX_QUESTIONS
from personalization.access.known_fields import KnownFields
from personalization.context.reading import check_context

MAX_REPORTS = 100


class _Text(serializers.CharField):
    """Ids as they come; what PostgreSQL cannot keep is no id of ours."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise serializers.ValidationError("Half a surrogate pair is no text.")
        return text


@extend_schema_field({"type": "object", "additionalProperties": True})
class ContextField(serializers.DictField):
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if wrong := check_context(data):
            raise serializers.ValidationError({pointer.strip("/"): reason for pointer, reason in wrong})
        return super().to_internal_value(data)


class QuestionSerializer(KnownFields, serializers.Serializer[Any]):
    placements = serializers.ListField(
        child=_Text(max_length=100), min_length=1, max_length=MAX_PLACEMENTS, help_text="Their keys."
    )
    customer = _Text(
        max_length=200, required=False, allow_blank=True, default="",
        help_text="Customer id of your own shop. Ignored with a public client key.",
    )  # fmt: skip
    anonymous_id = _Text(
        max_length=200, required=False, allow_blank=True, default="", help_text="Cookie or device."
    )
    # DRF takes declared fields off the class, so this hides nothing.
    context = ContextField(  # type: ignore[assignment]
        required=False,
        help_text="In the words of the Segment spec: page, campaign, device, userAgent, location, timezone,"
        " locale; and `item` that is looked at, `cart` (item ids). Templates see it as `context`.",
    )
    seen = serializers.BooleanField(
        default=True, help_text="False: it counts as seen only when its token is reported."
    )
    private = serializers.BooleanField(
        default=False, help_text="The visitor wants to be nobody: nothing is looked up, nothing kept."
    )


class DecideRequest(QuestionSerializer):
    placements = serializers.ListField(
        child=_Text(max_length=100), min_length=1, max_length=MAX_PLACEMENTS, required=False
    )
    batch = QuestionSerializer(
        many=True, required=False, help_text=f"In place of all else: up to {MAX_QUESTIONS} visitors at once."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("batch" in attrs) == ("placements" in attrs):
            raise serializers.ValidationError({"placements": "Give either placements or a batch."})
        if not 1 <= len(attrs.get("batch", [0])) <= MAX_QUESTIONS:
            raise serializers.ValidationError({"batch": f"A batch has 1 to {MAX_QUESTIONS} entries."})
        return attrs


class DecidedItem(serializers.Serializer[Any]):
    item = serializers.CharField()
    name = serializers.CharField()
    reason = serializers.CharField()


class PassedOver(serializers.Serializer[Any]):
    offer = serializers.IntegerField()
    reason = serializers.ChoiceField(
        choices=[
            "not_in_segment",
            "seen_often",
            "not_covered",
            "broken",
            "less_priority",
            "less_value",
            "template_failed",
        ]
    )


class RankedReason(serializers.Serializer[Any]):
    what = serializers.CharField(help_text="As what the customer is known here.")
    adds = serializers.FloatField(help_text="To the value, beside the average customer.")


class RankedOffer(serializers.Serializer[Any]):
    offer = serializers.IntegerField()
    basis = serializers.ChoiceField(
        choices=[MEASURED, TAILORED, UNKNOWN],
        help_text="Without evidence an offer is explored; measured_on_alike: for customers like this one.",
    )
    value = serializers.FloatField(
        allow_null=True, help_text="What it earns per customer beyond doing nothing, in the list's metric."
    )
    low = serializers.FloatField(allow_null=True, help_text="Of the 95 % interval.")
    high = serializers.FloatField(allow_null=True)
    customers = serializers.IntegerField(help_text="How many it was measured on, with the control group.")
    chance = serializers.FloatField(help_text="Of being chosen for this visitor, of the offers that fit.")
    because = RankedReason(many=True, help_text="Of a value for customers like this one, the largest first.")


class DecidedPlacement(serializers.Serializer[Any]):
    placement = serializers.CharField()
    content = serializers.CharField(allow_blank=True, help_text="HTML.")
    reason = serializers.ChoiceField(
        choices=[
            "chosen",
            "control",
            "holdout",
            "nothing_fits",
            "nothing_is_better",
            "unknown_placement",
            "unavailable",
        ],
        help_text="Everything but chosen gives the placement's default content.",
    )
    offer = serializers.IntegerField(allow_null=True)
    offer_name = serializers.CharField(allow_blank=True)
    experiment = serializers.CharField(allow_null=True)
    variant = serializers.CharField(allow_null=True)
    propensity = serializers.FloatField(
        allow_null=True, help_text="The chance of exactly this content for this visitor."
    )
    items = DecidedItem(many=True)
    passed_over = PassedOver(many=True, help_text="Other offers of the placement, and why not they.")
    ranking = RankedOffer(
        many=True, help_text="In a list of next best actions: what fits this visitor, most valuable first."
    )
    token = serializers.CharField(allow_blank=True, help_text="For reports; empty when nothing was chosen.")


class DecideAnswer(serializers.Serializer[Any]):
    placements = DecidedPlacement(many=True)
    batch = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="One answer per entry of a batch, in order."
    )


class ReportEntry(KnownFields, serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=[showing.SEEN, showing.CLICKED])
    token = serializers.CharField(max_length=200)
    at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class ReportsRequest(KnownFields, serializers.Serializer[Any]):
    reports = ReportEntry(many=True)
    anonymous_id = _Text(max_length=200, required=False, allow_blank=True, default="")
    device = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")

    def validate_reports(self, value: list[Any]) -> list[Any]:
        if not 1 <= len(value) <= MAX_REPORTS:
            raise serializers.ValidationError(f"Give 1 to {MAX_REPORTS} reports.")
        return value


class ReportsAnswer(serializers.Serializer[Any]):
    taken = serializers.IntegerField(help_text="Reports with a token of ours.")
