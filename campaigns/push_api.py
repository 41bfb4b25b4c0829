"""The API of browsers that customers let us notify: for the shop's own server, which knows who it is."""

import base64
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.channels.webpush import current_public_key
from campaigns.models import PushSubscription
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.outbound import ForbiddenAddress, check_url
from personalization.customers import selectors as customers
from personalization.customers.models import Customer


class KeysSerializer(KnownFields, serializers.Serializer[Any]):
    p256dh = serializers.CharField(max_length=120)
    auth = serializers.CharField(max_length=60)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        for name, length in (("p256dh", 65), ("auth", 16)):
            if _length(attrs[name]) != length:
                raise serializers.ValidationError({name: [f"These are not {length} bytes in base64url."]})
        return attrs


class SubscriptionSerializer(KnownFields, serializers.Serializer[Any]):
    """What `PushSubscription.toJSON()` gives in the browser."""

    endpoint = serializers.CharField(max_length=2000)
    keys = KeysSerializer()
    # Browsers send it with every subscription. The push service tells of the end, whatever stands here.
    expirationTime = serializers.FloatField(
        required=False, allow_null=True, help_text="As the browser gives it; not kept."
    )

    def validate_endpoint(self, value: str) -> str:
        try:
            check_url(value)
        except ForbiddenAddress as error:
            raise serializers.ValidationError(error.said) from error
        return value


class EndpointSerializer(KnownFields, serializers.Serializer[Any]):
    endpoint = serializers.CharField(max_length=2000)


class PushKeySerializer(serializers.Serializer[Any]):
    public_key = serializers.CharField(help_text="applicationServerKey of pushManager.subscribe()")


class PushKeyView(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(responses=PushKeySerializer)
    def get(self, request: Request) -> Response:
        """The public VAPID key for the page's script; empty while no account for web push is set up."""
        return Response({"public_key": current_public_key()})


class PushSubscriptionsView(APIView):
    required_scope = Scope.CUSTOMERS_WRITE
    delete_takes_a_body = True

    @extend_schema(operation_id="push_subscribe", request=SubscriptionSerializer, responses={204: None})
    def post(self, request: Request, external_id: str) -> Response:
        """Keeps a browser of this customer; the same browser again is only seen anew, whoever uses it now."""
        body = SubscriptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data, customer = body.validated_data, _customer(external_id)
        with transaction.atomic():
            PushSubscription.objects.update_or_create(
                endpoint_hash=PushSubscription.hash_of(data["endpoint"]),
                defaults={
                    "customer": customer, "endpoint": data["endpoint"], "p256dh": data["keys"]["p256dh"],
                    "auth": data["keys"]["auth"], "seen_at": timezone.now(),
                },
            )  # fmt: skip
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="push_unsubscribe", request=EndpointSerializer, responses={204: None})
    def delete(self, request: Request, external_id: str) -> Response:
        """Forgets a browser."""
        body = EndpointSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        hashed = PushSubscription.hash_of(body.validated_data["endpoint"])
        PushSubscription.objects.filter(endpoint_hash=hashed, customer=_customer(external_id)).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


def _customer(external_id: str) -> Customer:
    found = customers.find(external_id)
    return found or get_object_or_404(Customer, pk=0)


def _length(text: str) -> int:
    try:
        return len(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except ValueError:
        return -1
