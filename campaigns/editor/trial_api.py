"""The API of tests: one message of a saved campaign to a test recipient."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import channels
from campaigns.editor.examples import example_context
from campaigns.editor.trial import Trial, send_trial
from campaigns.item_choice import ItemChoice
from campaigns.models import Campaign
from campaigns.planning.frozen import content_of
from personalization.access.known_fields import KnownFields
from personalization.access.models import ApiKey, Scope
from personalization.access.services import actor_name
from personalization.customers import reading
from personalization.customers import selectors as customers
from personalization.customers.models import Customer
from recommender.ranking.rules import Rules


class TestSendSerializer(KnownFields, serializers.Serializer[Any]):
    to = serializers.CharField(
        max_length=500,
        help_text="An e-mail address, a phone number with country code, the id of a customer with a device "
        "(push), or the customer's id that the receiver is told (webhook).",
    )
    variant = serializers.CharField(
        max_length=60, required=False, allow_blank=True, default="", help_text="The first when left out."
    )
    customer = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="",
        help_text="As whom it is written, the shop's own id; needs `customers:read`. Nobody when left out.",
    )  # fmt: skip


class TestSentSerializer(serializers.Serializer[Any]):
    channel = serializers.CharField()
    detail = serializers.CharField(allow_blank=True, help_text="The provider's answer.")


class TestSendView(APIView):
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=TestSendSerializer, responses=TestSentSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Sends one message, marked as a test, to a recipient of your own; it stands in no ledger, counts for
        no cap and no report. 422 says in words what the provider answered."""
        campaign = get_object_or_404(Campaign, pk=pk)
        body = TestSendSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        message = (
            campaign.messages.order_by("position", "pk")
            .filter(**({"key": data["variant"]} if data["variant"] else {}))
            .first()
        )
        if message is None:
            raise serializers.ValidationError({"variant": ["There is no such variant."]})
        choice = ItemChoice(message.item_count, Rules.from_json(message.rules))
        context = example_context(_customer(request, data["customer"]), campaign=campaign.name, choice=choice)
        trial = Trial(
            channels.get(campaign.channel), content_of(message), context,
            sender_address=campaign.sender_address, sender_name=campaign.sender_name,
        )  # fmt: skip
        answer = send_trial(trial, to=data["to"], actor=actor_name(request))
        return Response(TestSentSerializer({"channel": campaign.channel, "detail": answer.detail}).data)


def _customer(request: Request, name: str) -> Customer | None:
    if not name:
        return None
    key = request.auth if isinstance(request.auth, ApiKey) else None
    if Scope.CUSTOMERS_READ not in key.scopes if key else not reading.may_see(request):
        raise PermissionDenied
    customer = customers.find_any(name)
    if customer is None:
        raise Http404
    reading.note_read(request, [customer.pk], page="API: test message")
    return customer
