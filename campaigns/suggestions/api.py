"""Suggested texts over the API: ask, watch, read; approving is for people."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Campaign, SuggestedField, Suggestion, SuggestionStatus
from campaigns.suggestions import services
from campaigns.suggestions.brief import MOST, WISHES
from campaigns.suggestions.pages import APPROVE
from campaigns.suggestions.purpose import MessageText
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import NewestFirst, answer_page
from personalization.access.services import actor_name
from personalization.language_model import tasks
from personalization.language_model.models import Call, CallStatus
from personalization.segments.models import Segment


class AskForTextsSerializer(KnownFields, serializers.Serializer[Any]):
    field = serializers.ChoiceField(SuggestedField.choices)
    wish = serializers.ChoiceField([(one, one) for one in WISHES])
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=3_000, allow_blank=True, default=""
    )
    language = serializers.CharField(max_length=20, default="en")
    count = serializers.IntegerField(min_value=1, max_value=MOST, default=4)
    limit = serializers.IntegerField(
        min_value=0, max_value=3_000, default=0, help_text="Characters; 0: the usual of the field."
    )
    tone = serializers.CharField(max_length=200, allow_blank=True, default="")
    notes = serializers.CharField(max_length=1_000, allow_blank=True, default="")
    facts = serializers.CharField(
        max_length=3_000, allow_blank=True, default="", help_text="What is true, a line each."
    )
    segment = serializers.PrimaryKeyRelatedField(
        queryset=Segment.objects.all(), allow_null=True, default=None
    )
    campaign = serializers.PrimaryKeyRelatedField(
        queryset=Campaign.objects.all(), allow_null=True, default=None
    )
    items = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=services.MAX_ITEMS, default=list,
        help_text="The shop's ids of items whose name, brand, category and price may be told.",
    )  # fmt: skip
    turn = serializers.IntegerField(
        min_value=0, max_value=10_000, default=0,
        help_text="The same question with another number is asked anew, not taken from the cache.",
    )  # fmt: skip


class SuggestionSerializer(serializers.ModelSerializer[Suggestion]):
    class Meta:
        model = Suggestion
        fields = [
            "id", "campaign", "field", "text", "problems", "status", "decided_by", "decided_at", "created_at",
        ]  # fmt: skip
        extra_kwargs = {"problems": {"help_text": "Why it was rejected, as sentences."}}


class ModelCallSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(CallStatus.choices)
    trouble = serializers.CharField(allow_blank=True, help_text="Why there is no usable answer.")
    is_cached = serializers.BooleanField()
    cost = serializers.DecimalField(20, 8)
    suggestions = serializers.SerializerMethodField()

    @extend_schema_field(SuggestionSerializer(many=True))
    def get_suggestions(self, call: Call) -> Any:
        rows = Suggestion.objects.filter(call=call).order_by("position")
        return SuggestionSerializer(rows, many=True).data


class SuggestionsView(APIView):
    staff_permission = "campaigns.add_suggestion"
    required_scope = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE}
    pagination_class = NewestFirst

    @extend_schema(
        responses=SuggestionSerializer(many=True),
        parameters=[OpenApiParameter("status", str, enum=SuggestionStatus.values)],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Suggested texts, newest first."""
        found: QuerySet[Suggestion] = Suggestion.objects.all()
        status = request.query_params.get("status", "")
        if status and status not in SuggestionStatus.values:
            raise serializers.ValidationError({"status": [f"One of: {', '.join(SuggestionStatus.values)}."]})
        if status:
            found = found.filter(status=status)
        return answer_page(self, request, found, SuggestionSerializer)

    @extend_schema(
        operation_id="suggestions_ask", request=AskForTextsSerializer, responses={202: ModelCallSerializer}
    )
    def post(self, request: Request) -> Response:
        """Asks the language model by a worker; `GET suggestions/calls/{id}` tells how it goes."""
        body = AskForTextsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        call = services.ask_for_texts(**body.validated_data, actor=actor_name(request))
        if call.is_under_way:
            tasks.answer.delay(call.pk)
        return Response(ModelCallSerializer(call).data, status=202)


class SuggestionCallView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(operation_id="suggestions_call", responses=ModelCallSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """How a question is getting on, and the texts that came of it."""
        return Response(ModelCallSerializer(get_object_or_404(Call, pk=pk, purpose=MessageText.name)).data)


class DecideView(APIView):
    staff_permission = "campaigns.approve_suggestion"
    required_scope = Scope.CAMPAIGNS_READ
    decision = "approve"

    def _decide(self, request: Request, pk: int) -> Response:
        if request.auth is not None or not request.user.has_perm(APPROVE):
            raise PermissionDenied
        act = services.approve if self.decision == "approve" else services.dismiss
        row = act(get_object_or_404(Suggestion, pk=pk), actor=actor_name(request))
        return Response(SuggestionSerializer(row).data)


class ApproveView(DecideView):
    @extend_schema(request=None, responses=SuggestionSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Lets a text be used. For staff with the right to approve; a key cannot."""
        return self._decide(request, pk)


class DismissView(DecideView):
    decision = "dismiss"

    @extend_schema(request=None, responses=SuggestionSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Puts a text aside. For staff with the right to approve; a key cannot."""
        return self._decide(request, pk)
