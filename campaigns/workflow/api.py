"""The API around campaigns: copies, the archive, and asking for approval, which only a person gives."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import ApprovalStatus, Campaign
from campaigns.planning import approval
from campaigns.serializers import CampaignSerializer
from campaigns.workflow import shelving
from campaigns.workflow.approval_state import approval_state
from personalization.access.known_fields import KnownFields
from personalization.access.models import ApiKey, Scope, User
from personalization.access.services import actor_name


class DuplicateView(APIView):
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=None, responses={201: CampaignSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """A draft that says and plans the same, also of a launched campaign; its dates are left out."""
        user = request.user if isinstance(request.user, User) else None
        copy = shelving.duplicate(
            get_object_or_404(Campaign, pk=pk), actor=actor_name(request), created_by=user
        )
        return Response(CampaignSerializer(copy).data, status=status.HTTP_201_CREATED)


class ShelfView(APIView):
    """archive or restore; which one is in the address."""

    required_scope = Scope.CAMPAIGNS_WRITE
    action = ""

    @extend_schema(request=None, responses=CampaignSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Out of the lists, or back; 409 while the campaign is planned, sends or takes people in."""
        campaign = get_object_or_404(Campaign, pk=pk)
        move = shelving.archive if self.action == "archive" else shelving.restore
        move(campaign, actor=actor_name(request))
        return Response(CampaignSerializer(get_object_or_404(Campaign, pk=pk)).data)


class ApprovalRequest(KnownFields, serializers.Serializer[Any]):
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class ApprovalSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        choices=ApprovalStatus.values, allow_blank=True,
        help_text="Empty: nobody asked about the campaign as it is now; any change takes an approval away.",
    )  # fmt: skip
    note = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField(allow_null=True)
    comment = serializers.CharField()
    decided_by = serializers.CharField()
    decided_at = serializers.DateTimeField(allow_null=True)


class ApprovalView(APIView):
    required_scope = {
        "GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE, "DELETE": Scope.CAMPAIGNS_WRITE,
    }  # fmt: skip

    @extend_schema(operation_id="campaigns_approval", responses=ApprovalSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Where the campaign, as it is now, stands between the question and the answer."""
        return self._answer(get_object_or_404(Campaign, pk=pk))

    @extend_schema(
        operation_id="campaigns_ask_approval", request=ApprovalRequest, responses={201: ApprovalSerializer}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Asks a second person to approve the campaign as it is saved; they do so in the editor."""
        body = ApprovalRequest(data=request.data)
        body.is_valid(raise_exception=True)
        campaign = get_object_or_404(Campaign, pk=pk)
        asks = request.auth.created_by if isinstance(request.auth, ApiKey) else request.user
        user = asks if isinstance(asks, User) else None
        approval.ask(campaign, actor=actor_name(request), user=user, note=body.validated_data["note"])
        return self._answer(campaign, status.HTTP_201_CREATED)

    @extend_schema(operation_id="campaigns_withdraw_approval", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Takes an open request back; nothing happens when there is none."""
        approval.withdraw(get_object_or_404(Campaign, pk=pk), actor=actor_name(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _answer(self, campaign: Campaign, code: int = status.HTTP_200_OK) -> Response:
        return Response(ApprovalSerializer(approval_state(campaign, None)).data, status=code)
