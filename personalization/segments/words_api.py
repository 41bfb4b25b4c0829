"""A segment described in words, over the API: the definition that comes of it. Nothing is saved."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import actor_name
from personalization.language_model import tasks
from personalization.language_model.models import Call, CallStatus
from personalization.segments.from_words import MAX_SENTENCE, SegmentDefinition, ask_for_definition


class SentenceRequest(KnownFields, serializers.Serializer[Any]):
    sentence = serializers.CharField(max_length=MAX_SENTENCE)


class FoundDefinition(serializers.Serializer[Any]):
    definition = serializers.JSONField(help_text="The segment language, see docs/segments.md")
    sentence = serializers.CharField(help_text="The definition in words: compare it with what was meant.")


class SentenceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(CallStatus.choices)
    trouble = serializers.CharField(allow_blank=True)
    result = FoundDefinition(allow_null=True)


class SegmentFromWords(APIView):
    required_scope = Scope.SEGMENTS_WRITE

    @extend_schema(request=SentenceRequest, responses={202: SentenceSerializer})
    def post(self, request: Request) -> Response:
        """Asks the language model for a definition; `GET segments/from-words/{id}` has it."""
        body = SentenceRequest(data=request.data)
        body.is_valid(raise_exception=True)
        call = ask_for_definition(body.validated_data["sentence"], actor=actor_name(request))
        if call.is_under_way:
            tasks.answer.delay(call.pk)
        return Response(SentenceSerializer(call).data, status=202)


class SegmentFromWordsAnswer(APIView):
    required_scope = Scope.SEGMENTS_READ

    @extend_schema(operation_id="segments_from_words_answer", responses=SentenceSerializer)
    def get(self, request: Request, call_id: int) -> Response:
        """What became of a sentence."""
        return Response(
            SentenceSerializer(get_object_or_404(Call, pk=call_id, purpose=SegmentDefinition.name)).data
        )
