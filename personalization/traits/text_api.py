"""Text sources over HTTP: declared, what they tell, learned anew, removed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name
from personalization.customers.reading import may_see, note_read
from personalization.traits import text_services
from personalization.traits.models import TextSource
from personalization.traits.text_selectors import as_document, read_report


class TextSourceSerializer(KnownFields, serializers.ModelSerializer):
    # Also names that are there: the services tell that in the same words as the page.
    name = serializers.CharField(max_length=40, help_text="review gives review_topic and review_language.")
    rating_best = serializers.IntegerField(default=5, min_value=2, max_value=100)

    class Meta:
        model = TextSource
        fields = ["name", "event", "property", "rating_property", "rating_best"]


class TextValueSerializer(serializers.Serializer):
    value = serializers.CharField()
    customers = serializers.IntegerField(allow_null=True, help_text="null: too few to be told.")
    words = serializers.ListField(child=serializers.CharField(), help_text="Of a topic.")
    examples = serializers.ListField(
        child=serializers.CharField(), help_text="Sentences of a topic without names, numbers and addresses."
    )


class TextTraitSerializer(serializers.Serializer):
    name = serializers.CharField()
    kind = serializers.CharField()
    problem = serializers.CharField(help_text="Why there is no value.")
    learned_at = serializers.DateTimeField(allow_null=True)
    held_out = serializers.DictField(
        child=serializers.FloatField(), allow_null=True, help_text="Sentiment: figures on texts kept back."
    )
    stability = serializers.DictField(
        child=serializers.FloatField(), help_text="Topics: agreement by the number of topics tried, 0 to 1."
    )
    values = serializers.ListField(child=TextValueSerializer())


class TextReportSerializer(TextSourceSerializer):
    traits = serializers.ListField(child=TextTraitSerializer())

    class Meta(TextSourceSerializer.Meta):
        fields = [*TextSourceSerializer.Meta.fields, "traits"]


class TextSourceList(APIView):
    required_scope = {"GET": Scope.CUSTOMERS_READ, "POST": Scope.CUSTOMERS_WRITE}
    pagination_class = CursorPagination

    @extend_schema(responses=TextSourceSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every property and trait that was declared as free text."""
        return answer_page(self, request, TextSource.objects.order_by("name"), TextSourceSerializer)

    @extend_schema(request=TextSourceSerializer, responses={201: TextSourceSerializer})
    def post(self, request: Request) -> Response:
        """Declares free text; language, topic, keywords and sentiment come within a minute or two."""
        serializer = TextSourceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        source = TextSource(**serializer.validated_data)
        text_services.declare_source(source, actor=actor_name(request))
        return Response(TextSourceSerializer(source).data, status=201)


class TextSourceDetail(APIView):
    required_scope = {"GET": Scope.CUSTOMERS_READ, "DELETE": Scope.CUSTOMERS_WRITE}

    @extend_schema(responses=TextReportSerializer)
    def get(self, request: Request, name: str) -> Response:
        """What the texts tell: topics with example sentences, languages, sentiment, and how sure that is."""
        report = read_report(_find(name), with_examples=may_see(request))
        note_read(request, report.people, page="texts")
        document: dict[str, Any] = as_document(report)
        return Response(TextReportSerializer(document).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Removes the source, its traits and their values; the texts stay where they are."""
        text_services.remove_source(_find(name), actor=actor_name(request))
        return Response(status=204)


class TextSourceLearning(APIView):
    required_scope = Scope.CUSTOMERS_WRITE

    @extend_schema(request=None, responses={202: None})
    def post(self, request: Request, name: str) -> Response:
        """Learns from the newest texts within a minute. Topics that stay keep their names."""
        text_services.learn_anew(_find(name), actor=actor_name(request))
        return Response(status=202)


def _find(name: str) -> TextSource:
    return get_object_or_404(TextSource, name="" if "\0" in name else name)
