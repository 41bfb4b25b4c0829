"""Proofs, their addresses and differences of versions, for programs."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Campaign
from campaigns.proofs import diff
from campaigns.proofs.addresses import check_addresses
from campaigns.proofs.asking import addresses_of, choices_for, make_proofs, read_asked
from campaigns.proofs.proof import Proof
from campaigns.proofs.unlike import Choice
from campaigns.why.views import DecisionOfPersonSerializer
from personalization.access.models import ApiKey, Scope
from personalization.access.services import actor_name, audit
from personalization.customers import reading
from personalization.customers import selectors as customers


class HintSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    message = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    level = serializers.ChoiceField(choices=["error", "warning"])


class ProofSerializer(serializers.Serializer[Any]):
    customer = serializers.IntegerField(source="customer.pk", help_text="Number of the profile.")
    reason = serializers.CharField(help_text="Why this customer was chosen.")
    shown = serializers.DictField(
        help_text="What the channel shows: of e-mail subject, preheader, html, text."
    )
    failure = serializers.CharField(
        allow_blank=True, help_text="Why there is no message; empty when there is."
    )
    sent_bytes = serializers.IntegerField(help_text="The HTML with tracked links.")
    is_clipped = serializers.BooleanField(help_text="Above 102 kB: Gmail cuts it off.")
    problems = HintSerializer(many=True)
    decisions = DecisionOfPersonSerializer(many=True)


class AddressVerdictSerializer(serializers.Serializer[Any]):
    url = serializers.CharField()
    is_picture = serializers.BooleanField()
    level = serializers.ChoiceField(choices=["ok", "warning", "error", "unknown"])
    sentence = serializers.CharField()
    status = serializers.IntegerField(allow_null=True)


class LineSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["same", "removed", "added"])
    text = serializers.CharField(allow_blank=True)
    older = serializers.IntegerField(allow_null=True)
    newer = serializers.IntegerField(allow_null=True)


class PartDiffSerializer(serializers.Serializer[Any]):
    part = serializers.CharField()
    is_same = serializers.BooleanField()
    lines = LineSerializer(many=True)


class DiffSerializer(serializers.Serializer[Any]):
    versions = serializers.DictField(child=serializers.CharField(), help_text="All there are, by key.")
    parts = PartDiffSerializer(many=True)


PARAMETERS = [
    OpenApiParameter("variant", description="Key of the variant; the first when left out."),
    OpenApiParameter("customer", description="The shop's own id; six unlike customers when left out."),
    OpenApiParameter("at", description="The moment, for example 2026-12-01T09:00Z; now when left out."),
    OpenApiParameter("country", description="Where the customer is, two letters."),
    OpenApiParameter("city", description="Where the customer is."),
    OpenApiParameter("zone", description="Time zone, for example Asia/Shanghai."),
    OpenApiParameter("device", enum=["mobile", "tablet", "desktop"], description="What it is read on."),
]


class ProofsView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(parameters=PARAMETERS, responses=ProofSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The message as customers would get it, with what is to say about it. Without the scope
        `customers:read` names, addresses and traits are masked."""
        return Response(ProofSerializer(_proofs(request, pk)[1], many=True).data)


class AddressesView(APIView):
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(parameters=PARAMETERS, request=None, responses=AddressVerdictSerializer(many=True))
    def post(self, request: Request, pk: int) -> Response:
        """Calls every link and picture of these messages once, and says what answers."""
        campaign, made = _proofs(request, pk)
        found = addresses_of(made)
        audit(actor_name(request), "campaign.links_checked", f"campaign:{campaign.pk}", addresses=len(found))
        return Response(AddressVerdictSerializer(check_addresses(found), many=True).data)


class DiffView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(
        parameters=[OpenApiParameter("older", required=True), OpenApiParameter("newer", required=True)],
        responses=DiffSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Two versions line by line: `draft:<variant>` as it is now, `run:<number>:<variant>` as launched."""
        campaign = get_object_or_404(Campaign, pk=pk)
        asked = {name: request.query_params.get(name, "") for name in ("older", "newer")}
        found = {name: diff.content_at(campaign, version) for name, version in asked.items()}
        if missing := [name for name, content in found.items() if content is None]:
            known = ", ".join(diff.versions(campaign))
            raise serializers.ValidationError(
                {name: [f"No such version; there are: {known}."] for name in missing}
            )
        parts = diff.compare(found["older"] or {}, found["newer"] or {})
        return Response(DiffSerializer({"versions": diff.versions(campaign), "parts": parts}).data)


def _proofs(request: Request, pk: int) -> tuple[Campaign, list[Proof]]:
    key = request.auth if isinstance(request.auth, ApiKey) else None
    if key is None and not request.user.has_perm("customers.view_customer"):
        raise PermissionDenied
    campaign = get_object_or_404(Campaign.objects.select_related("segment"), pk=pk)
    asked = read_asked(campaign, request.query_params)
    if asked.errors:
        raise serializers.ValidationError({name: [text] for name, text in asked.errors.items()})
    may_see = Scope.CUSTOMERS_READ in key.scopes if key else reading.may_see(request)
    wanted = request.query_params.get("customer", "")
    if wanted:
        customer = customers.find_any(wanted)
        if customer is None:
            raise Http404
        choices = [Choice(customer.pk, "chosen", "")]
    else:
        choices, _is_segment = choices_for(campaign, asked)
    return campaign, make_proofs(request, campaign, asked, choices, may_see=may_see)
