"""POST /campaigns/{id}/trigger: messages to named recipients, now."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import tasks
from campaigns.models import Campaign, Delivery
from campaigns.triggering.people import PeopleSerializer, known_people
from campaigns.triggering.services import deliveries_of, trigger
from personalization.access.models import Scope
from personalization.access.services import actor_name, is_test_call


class TriggeredDeliverySerializer(serializers.ModelSerializer[Delivery]):
    customer = serializers.CharField(source="customer.external_id", allow_null=True, default=None)

    class Meta:
        model = Delivery
        fields = ["id", "customer", "status", "reason"]


class TriggeredSerializer(serializers.Serializer[Any]):
    trigger = serializers.IntegerField()
    is_new = serializers.BooleanField(help_text="False: this key was used before; nothing is sent again.")
    is_test = serializers.BooleanField(help_text="Called with a test key: nothing leaves the house.")
    deliveries = TriggeredDeliverySerializer(many=True)


class TriggerView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE
    takes_tests = True

    @extend_schema(request=PeopleSerializer, responses={200: TriggeredSerializer, 202: TriggeredSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Sends a launched triggered campaign to up to 500 customers, each with variables of their own.

        Answers one delivery for each, also for those who get nothing, with the reason. A second call with the
        same key answers the same and sends nothing. Of an unknown customer nobody gets anything. With a test
        key all of it is done, and nothing leaves the house.
        """
        campaign = get_object_or_404(Campaign, pk=pk)
        body = PeopleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        people = known_people(body.validated_data["recipients"], shared=body.validated_data["variables"])
        is_test = is_test_call(request)
        done = trigger(
            campaign, people, key=body.validated_data["idempotency_key"], actor=actor_name(request),
            is_test=is_test,
        )  # fmt: skip
        if done.is_new:
            tasks.wake()
        answer = TriggeredSerializer(
            {
                "trigger": done.trigger.pk,
                "is_new": done.is_new,
                "is_test": is_test,
                "deliveries": deliveries_of(done.trigger),
            }
        )
        return Response(answer.data, status=status.HTTP_202_ACCEPTED if done.is_new else status.HTTP_200_OK)
