"""`POST /api/v1/decide`: what to show, asked by pages, apps and servers. And its reports of what was seen."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.onsite import showing
from campaigns.onsite.answering import Question, answer
from campaigns.onsite.errors import NotAllowed
from campaigns.onsite.reading import MAX_PLACEMENTS, MAX_QUESTIONS, read_call
from experiments import client_keys
from personalization.access.authentication import authenticate_key, token_of
from personalization.access.models import Scope
from personalization.access.problems import ProblemError
from personalization.context.reading import check_context

MAX_REPORTS = 100
TAGS = ["decide"]
PRIVATE = "private, no-store"
EDGE = "public, max-age=30, stale-if-error=86400"
LATE = timedelta(days=2)


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


class QuestionSerializer(serializers.Serializer[Any]):
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
        choices=["not_in_segment", "seen_often", "not_covered", "broken", "less_priority", "template_failed"]
    )


class DecidedPlacement(serializers.Serializer[Any]):
    placement = serializers.CharField()
    content = serializers.CharField(allow_blank=True, help_text="HTML.")
    reason = serializers.ChoiceField(
        choices=["chosen", "control", "holdout", "nothing_fits", "unknown_placement", "unavailable"],
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
    token = serializers.CharField(allow_blank=True, help_text="For reports; empty when nothing was chosen.")


class DecideAnswer(serializers.Serializer[Any]):
    placements = DecidedPlacement(many=True)
    batch = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="One answer per entry of a batch, in order."
    )


class DecideView(APIView):
    # The key is read together with all else, inside the deadline.
    authentication_classes = ()
    permission_classes = ()
    required_scope = Scope.DECIDE

    @extend_schema(
        operation_id="decide", request=DecideRequest, responses={200: DecideAnswer}, tags=TAGS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """What to show one visitor in each placement, and why.

        A client key (`sdk-…`) does as well: it is public, and knows visitors only by their anonymous id.
        """
        token = token_of(request)
        if not token:
            raise NotAllowed
        body = DecideRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        is_batch = "batch" in asked
        questions = [_question(one) for one in (asked["batch"] if is_batch else [asked])]
        response = Response(_body(answer(token, questions), is_batch=is_batch))
        response["Cache-Control"] = PRIVATE
        return response

    @extend_schema(
        operation_id="decide_for_nobody", responses={200: DecideAnswer}, tags=TAGS,
        parameters=[OpenApiParameter("placements", str, required=True, description="Keys, with commas.")],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The same for everybody, for caches at the edge. The key may stand in the address: `key`."""
        token = token_of(request) or request.query_params.get("key")
        if not token:
            raise NotAllowed
        names = request.query_params.get("placements", "").split(",")
        body = DecideRequest(data={"placements": [one for one in names if one], "private": True})
        body.is_valid(raise_exception=True)
        response = Response(answer(token, [_question(body.validated_data)])[0])
        response["Cache-Control"] = EDGE
        return response


_slowly = DecideView.as_view()


@csrf_exempt
@wraps(_slowly)
def decide(request: HttpRequest) -> HttpResponse:
    """`DecideView`, and the calls that are written as usual past all that is slow in it."""
    if request.method != "POST" or request.content_type != "application/json":
        return _slowly(request)
    token, called = token_of(request), read_call(request.body)
    if not token or called is None:
        return _slowly(request)
    questions, is_batch = called
    try:
        answers = answer(token, questions)
    except ProblemError:  # a key without the right: said in the same words
        return _slowly(request)
    content = msgspec.json.encode(_body(answers, is_batch=is_batch))
    return HttpResponse(content, content_type="application/json", headers={"Cache-Control": PRIVATE})


def _body(answers: Sequence[dict[str, Any]], *, is_batch: bool) -> dict[str, Any]:
    return {"placements": [], "batch": answers} if is_batch else answers[0]


class ReportEntry(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=[showing.SEEN, showing.CLICKED])
    token = serializers.CharField(max_length=200)
    at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class ReportsRequest(serializers.Serializer[Any]):
    reports = ReportEntry(many=True)
    anonymous_id = _Text(max_length=200, required=False, allow_blank=True, default="")
    device = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")

    def validate_reports(self, value: list[Any]) -> list[Any]:
        if not 1 <= len(value) <= MAX_REPORTS:
            raise serializers.ValidationError(f"Give 1 to {MAX_REPORTS} reports.")
        return value


class ReportsAnswer(serializers.Serializer[Any]):
    taken = serializers.IntegerField(help_text="Reports with a token of ours.")


class ReportsView(APIView):
    authentication_classes = ()
    permission_classes = ()
    required_scope = Scope.DECIDE

    @extend_schema(
        operation_id="decide_reports", request=ReportsRequest, responses={202: ReportsAnswer}, tags=TAGS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """What visitors saw and clicked, with any key that may decide. A report sent again counts once."""
        _must_be_admitted(request)
        body = ReportsRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked, now = body.validated_data, timezone.now()
        reports = [
            showing.Report(
                one["kind"], one["token"], _at(one["at"], now), asked["anonymous_id"], asked["device"]
            )
            for one in asked["reports"]
            if showing.read(one["token"]) is not None
        ]
        showing.note(reports)
        return Response({"taken": len(reports)}, status=202)


def _must_be_admitted(request: Request) -> None:
    token = token_of(request) or request.query_params.get("key") or ""
    if client_keys.is_live(token):
        return
    key = authenticate_key(token)
    if key is None or Scope.DECIDE not in key.scopes:
        raise NotAllowed


def _at(given: datetime | None, now: datetime) -> datetime:
    """A page's clock may be wrong: only a time of the last days is believed."""
    return given if given is not None and now - LATE <= given <= now else now


def _question(asked: dict[str, Any]) -> Question:
    return Question(
        asked["placements"], asked["customer"], asked["anonymous_id"], asked.get("context", {}),
        asked["seen"], asked["private"],
    )  # fmt: skip
