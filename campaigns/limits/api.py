"""The API of what holds messages back: frequency caps, quiet hours, exempt topics."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.limits.services import replace_limits
from campaigns.models import FrequencyCap, QuietHours, TopicRule
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import actor_name


class CapSerializer(KnownFields, serializers.ModelSerializer[FrequencyCap]):
    class Meta:
        model = FrequencyCap
        fields = ["channel", "topic", "max_messages", "window_hours", "is_active"]


@extend_schema_field({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"})
class HourOfDay(serializers.TimeField):
    """By the clock of each customer: without a zone, which the format `time` of JSON Schema demands."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%H:%M:%S", "%H:%M"], **kwargs)


class QuietHoursSerializer(KnownFields, serializers.ModelSerializer[QuietHours]):
    starts_at = HourOfDay()
    ends_at = HourOfDay()

    class Meta:
        model = QuietHours
        fields = ["channel", "starts_at", "ends_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"channel": {"validators": []}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["starts_at"] == attrs["ends_at"]:
            raise serializers.ValidationError(
                {"ends_at": ["Quiet hours end at another time than they begin."]}
            )
        return attrs


class TopicRuleSerializer(KnownFields, serializers.ModelSerializer[TopicRule]):
    class Meta:
        model = TopicRule
        fields = ["topic", "ignores_caps", "ignores_quiet_hours"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"topic": {"validators": []}}


class LimitsSerializer(KnownFields, serializers.Serializer[Any]):
    caps = CapSerializer(many=True)
    quiet_hours = QuietHoursSerializer(many=True)
    topics = TopicRuleSerializer(many=True)

    def validate_quiet_hours(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return _each_once(rows, "channel")

    def validate_topics(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return _each_once(rows, "topic")


def _each_once(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    if len({row.get(name, "") for row in rows}) < len(rows):
        raise serializers.ValidationError(f"Two rows have the same {name}.")
    return rows


class LimitsView(APIView):
    staff_permission = "campaigns.change_frequencycap"
    required_scope = {"GET": Scope.CAMPAIGNS_READ, "PUT": Scope.CAMPAIGNS_WRITE}

    @extend_schema(responses=LimitsSerializer)
    def get(self, request: Request) -> Response:
        """What holds messages back, in all campaigns."""
        return Response(_limits())

    @extend_schema(request=LimitsSerializer, responses=LimitsSerializer)
    def put(self, request: Request) -> Response:
        """Replaces all of them; they hold from the next message on that no worker has in hand yet."""
        body = LimitsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        replace_limits(**body.validated_data, actor=actor_name(request))
        return Response(_limits())


def _limits() -> dict[str, Any]:
    return {
        "caps": CapSerializer(FrequencyCap.objects.all(), many=True).data,
        "quiet_hours": QuietHoursSerializer(QuietHours.objects.order_by("channel"), many=True).data,
        "topics": TopicRuleSerializer(TopicRule.objects.all(), many=True).data,
    }
