"""The API of credits for orders, and of the check of a sender's domain."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import selectors
from campaigns.errors import InvalidState
from campaigns.models import Campaign
from campaigns.reports.attribution import ORDER, WINDOW_DAYS, credits_of, told_credits
from campaigns.senders.domain_check import check_domain
from personalization.access.models import Scope
from personalization.customers.reading import may_see


class CreditSerializer(serializers.Serializer[Any]):
    variant = serializers.CharField()
    last_orders = serializers.IntegerField()
    last_value = serializers.DecimalField(max_digits=14, decimal_places=2)
    linear_orders = serializers.FloatField()
    linear_value = serializers.DecimalField(max_digits=14, decimal_places=2)


class FindingSerializer(serializers.Serializer[Any]):
    subject = serializers.CharField()
    level = serializers.ChoiceField(choices=["ok", "warning", "error"])
    text = serializers.CharField()
    record = serializers.CharField()


class AttributionView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(
        parameters=[OpenApiParameter("window_days", int), OpenApiParameter("event")],
        responses=CreditSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Orders credited to the newest run's variants by clicks, last and linear. Credit is not cause."""
        run = selectors.latest_run(get_object_or_404(Campaign, pk=pk))
        if run is None:
            raise InvalidState("The campaign was not launched yet.")
        days = request.query_params.get("window_days", str(WINDOW_DAYS))
        event = request.query_params.get("event", ORDER)[:200].replace("\0", "")
        try:
            found = credits_of(run, event=event, window_days=int(days) if days.isdecimal() else 0)
        except ValueError as error:
            raise serializers.ValidationError({"window_days": [str(error)]}) from error
        return Response(CreditSerializer(told_credits(found, whole=may_see(request)), many=True).data)


class DomainView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(operation_id="sender_domains_check", responses=FindingSerializer(many=True))
    def get(self, request: Request, domain: str) -> Response:
        """SPF, DKIM, DMARC and MX of a domain that sends, with advice."""
        try:
            found = check_domain(domain)
        except ValueError as error:
            raise serializers.ValidationError({"domain": [str(error)]}) from error
        return Response(FindingSerializer(found, many=True).data)
