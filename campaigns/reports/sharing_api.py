"""Shared reports over the API."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import selectors
from campaigns.errors import InvalidState
from campaigns.models import Campaign, ReportLink, Run
from campaigns.reports import sharing
from experiments.models import Experiment
from personalization.access.known_fields import KnownFields
from personalization.access.models import ApiKey, Scope, User
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name


class ReportLinkRequest(KnownFields, serializers.Serializer[Any]):
    days = serializers.IntegerField(min_value=1, max_value=sharing.MOST_DAYS, default=sharing.DAYS)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ReportLinkSerializer(serializers.ModelSerializer[ReportLink]):
    class Meta:
        model = ReportLink
        fields = ["id", "note", "created_at", "expires_at", "last_used_at", "uses"]


class NewReportLinkSerializer(ReportLinkSerializer):
    address = serializers.URLField(help_text="Shown only this once.")

    class Meta(ReportLinkSerializer.Meta):
        fields = [*ReportLinkSerializer.Meta.fields, "address"]


class LinksView(APIView):
    """Of one report."""

    staff_permission = "campaigns.add_reportlink"
    required_scope = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE}
    pagination_class = CursorPagination

    def answer_list(self, request: Request, shown: Run | Experiment) -> Response:
        found = sharing.live(shown, now=timezone.now()).order_by("pk")
        return answer_page(self, request, found, ReportLinkSerializer)

    def answer_made(self, request: Request, shown: Run | Experiment) -> Response:
        body = ReportLinkRequest(data=request.data)
        body.is_valid(raise_exception=True)
        by = request.auth.created_by if isinstance(request.auth, ApiKey) else request.user
        user = by if isinstance(by, User) else None
        link, address = sharing.share(shown, actor=actor_name(request), user=user, **body.validated_data)
        data = {**ReportLinkSerializer(link).data, "address": address}
        return Response(data, status=status.HTTP_201_CREATED)


class ReportLinksView(LinksView):
    @extend_schema(responses=ReportLinkSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The live addresses at which the newest run's report can be read without an account."""
        return self.answer_list(request, _run(pk))

    @extend_schema(request=ReportLinkRequest, responses={201: NewReportLinkSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """A new address for the newest run's report; it expires by itself."""
        return self.answer_made(request, _run(pk))


class ExperimentLinksView(LinksView):
    @extend_schema(responses=ReportLinkSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        """The live addresses at which its report can be read without an account; those of the run's report,
        where a campaign made it."""
        return self.answer_list(request, _shown(key))

    @extend_schema(request=ReportLinkRequest, responses={201: NewReportLinkSerializer})
    def post(self, request: Request, key: str) -> Response:
        """A new address for its report; it expires by itself."""
        return self.answer_made(request, _shown(key))


class ReportLinkView(APIView):
    staff_permission = "campaigns.change_reportlink"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Takes the address back at once; taking it back twice changes nothing."""
        sharing.take_back(get_object_or_404(ReportLink, pk=pk), actor=actor_name(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _run(campaign_id: int) -> Run:
    run = selectors.latest_run(get_object_or_404(Campaign, pk=campaign_id))
    if run is None:
        raise InvalidState("The campaign was not launched yet.")
    return run


def _shown(key: str) -> Run | Experiment:
    return sharing.report_of(get_object_or_404(Experiment, key=key))
