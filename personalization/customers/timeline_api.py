"""A customer's timeline over HTTP."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.models import Scope
from personalization.customers import selectors
from personalization.customers.errors import UnknownCustomer
from personalization.customers.reading import may_see, note_read
from personalization.customers.timeline import Page, read_timeline, timeline_sources, without_details

PAGE_SIZE = 50
MOST = 500


class EntrySerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    title = serializers.CharField(help_text="In the language of Accept-Language.")
    detail = serializers.CharField()
    data = serializers.DictField(  # type: ignore[assignment]  # DRF's own attribute of this name
        help_text="The same for programs."
    )


class TimelineSerializer(serializers.Serializer[Any]):
    entries = EntrySerializer(many=True)
    next = serializers.CharField(help_text="Cursor of the next page, empty at the end.")


class TimelineQuery(serializers.Serializer[Any]):
    kind = serializers.MultipleChoiceField(choices=[], required=False)
    cursor = serializers.CharField(required=False, max_length=500)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=PAGE_SIZE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = self.fields["kind"]
        kinds.choices = [source.kind for source in timeline_sources()]  # type: ignore[attr-defined]


def timeline_json(page: Page, *, whole: bool = True) -> dict[str, Any]:
    """Not `whole`: what happened when, without what was said or changed in it, which may name the person."""
    if not whole:
        page = without_details(page)
    return dict(TimelineSerializer({"entries": page.entries, "next": page.next}).data)


class CustomerTimeline(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(
        parameters=[
            OpenApiParameter("kind", str, many=True, description="Only these kinds of entries."),
            OpenApiParameter("cursor", str),
            OpenApiParameter("page_size", {"type": "integer", "minimum": 1, "maximum": MOST}),
        ],
        responses=TimelineSerializer,
    )
    def get(self, request: Request, external_id: str) -> Response:
        """Everything that happened with this customer, newest first: events, messages and why they were sent,
        experiments, consent, merges, changes of traits."""
        customer = selectors.find_any(external_id)
        if customer is None:
            raise UnknownCustomer
        query = TimelineQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        page = read_timeline(
            customer.pk,
            kinds=asked.get("kind") or None,
            cursor=asked.get("cursor", ""),
            limit=asked["page_size"],
        )
        note = [customer.pk] if may_see(request) else []
        note_read(request, note, page="API: timeline")
        return Response(timeline_json(page, whole=bool(note)))
