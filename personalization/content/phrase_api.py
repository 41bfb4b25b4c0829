"""Phrase sets over the API: read, write a new version, try, put out of use."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import ByName, NewestFirst, answer_page
from personalization.access.services import actor_name
from personalization.content.models import PhraseSet, PhraseVersion
from personalization.content.phrase_selectors import frozen, phrase_sets
from personalization.content.phrase_services import archive_phrase_set, save_phrase_set
from personalization.content.phrase_tree import try_phrases
from personalization.customers.reading import show_profile
from personalization.customers.selectors import profile_by_external_id


class PhraseSetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=50)
    description = serializers.CharField()
    version = serializers.IntegerField(source="number")
    texts = serializers.DictField(child=serializers.CharField(), help_text="By language; “” is for the rest.")
    language = serializers.CharField(help_text="Of the text for the rest.")
    memory = serializers.IntegerField(help_text="In so many messages no phrase is repeated to a customer.")
    changed_at = serializers.DateTimeField()


class NewPhrasesSerializer(KnownFields, serializers.Serializer[Any]):
    texts = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False),
        help_text="By language; “” is for everybody without one of these.",
    )
    language = serializers.CharField(required=False, max_length=20, default="en")
    memory = serializers.IntegerField(required=False, min_value=0, max_value=20, default=3)
    description = serializers.CharField(required=False, allow_blank=True, max_length=200)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class PhraseVersionSerializer(serializers.ModelSerializer[PhraseVersion]):
    class Meta:
        model = PhraseVersion
        fields = ["number", "texts", "language", "memory", "note", "created_by", "created_at"]


class TryPhrasesSerializer(KnownFields, serializers.Serializer[Any]):
    customer = serializers.CharField(
        required=False, max_length=200, help_text="The shop's own id; left out, a made-up customer."
    )
    language = serializers.CharField(required=False, max_length=20, default="")
    number = serializers.IntegerField(required=False, min_value=1, max_value=10**8, default=1)


class TriedPhrasesSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    language = serializers.CharField(allow_blank=True, help_text="Of the text taken; “” is the one for all.")
    texts = serializers.ListField(child=serializers.CharField(allow_blank=True))
    tree = serializers.DictField(
        allow_null=True, help_text="How the first text came about; null if no phrase of start can be taken."
    )
    variety = serializers.IntegerField(help_text="So many different texts at most.")


class PhraseSetListView(APIView):
    required_scope = Scope.CAMPAIGNS_READ
    pagination_class = ByName

    @extend_schema(responses=PhraseSetSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Phrase sets in use, by name."""
        return answer_page(self, request, phrase_sets(), PhraseSetSerializer)


class PhraseSetView(APIView):
    staff_permission = {"PUT": "content.change_phraseset", "DELETE": "content.delete_phraseset"}
    required_scope = {
        "GET": Scope.CAMPAIGNS_READ, "PUT": Scope.CAMPAIGNS_WRITE, "DELETE": Scope.CAMPAIGNS_WRITE,
    }  # fmt: skip

    @extend_schema(responses=PhraseSetSerializer)
    def get(self, request: Request, name: str) -> Response:
        """A phrase set as messages launched now would have it."""
        return Response(PhraseSetSerializer(get_object_or_404(phrase_sets(), name=name)).data)

    @extend_schema(operation_id="phrases_put", request=NewPhrasesSerializer, responses=PhraseSetSerializer)
    def put(self, request: Request, name: str) -> Response:
        """Makes a new version; the same again makes none. Launched messages keep theirs."""
        body = NewPhrasesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        save_phrase_set(name, **body.validated_data, actor=actor_name(request))
        return Response(PhraseSetSerializer(phrase_sets().get(name=name)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Puts it out of use; its versions are kept."""
        archive_phrase_set(get_object_or_404(PhraseSet, name=name), actor=actor_name(request))
        return Response(status=204)


class PhraseVersionsView(APIView):
    required_scope = Scope.CAMPAIGNS_READ
    pagination_class = NewestFirst

    @extend_schema(responses=PhraseVersionSerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        """Every version of a phrase set, newest first."""
        row = get_object_or_404(PhraseSet, name=name)
        return answer_page(self, request, row.versions.all(), PhraseVersionSerializer)


class TryView(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(request=TryPhrasesSerializer, responses=TriedPhrasesSerializer)
    def post(self, request: Request, name: str) -> Response:
        """Some texts for a customer, and how the first came about. Writes nothing."""
        body = TryPhrasesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        row = get_object_or_404(phrase_sets(), name=name)
        profile = None
        if "customer" in given and (profile := profile_by_external_id(given["customer"])) is None:
            raise Http404
        if profile is not None:
            profile = show_profile(request, profile, page="API: phrases")
        tried = try_phrases(frozen(row), profile, language=given["language"], number=given["number"])
        return Response(TriedPhrasesSerializer(tried).data)
