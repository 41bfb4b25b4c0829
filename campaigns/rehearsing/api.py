"""Rehearsals for programs: asked for, watched, canceled."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import tasks
from campaigns.models import Campaign, Journey, Rehearsal
from campaigns.rehearsing.asking import ask_for_rehearsal, cancel_rehearsal, rehearsals_of
from campaigns.rehearsing.found import Findings, from_document
from campaigns.rehearsing.rehearsal import DAYS
from campaigns.rehearsing.told import most_first, told_findings
from personalization.access.jobs.shown import JobFields, job_document
from personalization.access.jobs.work import hand_over
from personalization.access.known_fields import KnownFields
from personalization.access.models import ApiKey, Scope
from personalization.access.services import actor_name
from personalization.customers import reading

MAX_DAYS = 92
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
SHOWN = 10


class FailureSerializer(serializers.Serializer[Any]):
    """`examples` are ids of the first customers."""

    variant = serializers.CharField()
    reason = serializers.CharField()
    detail = serializers.CharField()
    customers = serializers.IntegerField()
    examples = serializers.ListField(child=serializers.IntegerField())


class FindingsSerializer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    is_cut = serializers.BooleanField(
        help_text="Real work waited for what it uses, so it ended at `ends_at`, before the days asked for."
    )
    audience = serializers.IntegerField()
    sent = serializers.IntegerField()
    reasons = serializers.DictField(child=serializers.IntegerField())
    waiting = serializers.DictField(child=serializers.IntegerField())
    days = serializers.SerializerMethodField(help_text="Messages by day.")
    last_at = serializers.DateTimeField(
        allow_null=True, help_text="When the last message leaves; null when none does."
    )
    per_second = serializers.FloatField(allow_null=True, help_text="The rate that is set; null without one.")
    is_warming = serializers.BooleanField(help_text="The warm-up of the sender puts some of them off.")
    failures = serializers.SerializerMethodField(help_text="Whom a message fails, most first.")
    journey = serializers.JSONField(allow_null=True, help_text="Of a journey its counts.")

    @extend_schema_field(FailureSerializer(many=True))
    def get_failures(self, found: Findings) -> list[dict[str, Any]]:
        return list(FailureSerializer(most_first(found), many=True).data)

    def get_days(self, found: Findings) -> dict[str, int]:
        return {day.isoformat(): n for day, n in sorted(found.days.items())}


class RehearsalSerializer(JobFields):
    campaign = serializers.IntegerField(allow_null=True)
    journey = serializers.IntegerField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    days = serializers.IntegerField()
    asked_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    result = FindingsSerializer(allow_null=True, help_text="Null before it is done. Kept for a week.")


class RehearsalRequest(KnownFields, serializers.Serializer[Any]):
    at = serializers.DateTimeField(
        required=False, allow_null=True, default=None,
        help_text="When it begins; null: the campaign's plan, or now.",
    )  # fmt: skip
    days = serializers.IntegerField(
        required=False, default=DAYS, min_value=1, max_value=MAX_DAYS, help_text="How far the clock goes on."
    )

    def validate_at(self, at: datetime | None) -> datetime | None:
        if at is not None and not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
            raise serializers.ValidationError(
                _("A time of the years %(first)s to %(last)s.")
                % {"first": EARLIEST_YEAR, "last": LATEST_YEAR}
            )
        return at


class _RehearsalsView(APIView):
    """Nothing but the rehearsal itself is written, so whoever may read may ask."""

    required_scope = Scope.CAMPAIGNS_READ

    def list(self, request: Request, what: Campaign | Journey) -> Response:
        found = rehearsals_of(what).order_by("-pk")[:SHOWN]
        return Response([document(request, one) for one in found])

    def ask(self, request: Request, what: Campaign | Journey) -> Response:
        body = RehearsalRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = ask_and_hand_over(what, body.validated_data, actor=actor_name(request))
        answer = Response(document(request, asked), status=status.HTTP_202_ACCEPTED)
        answer["Location"] = f"/api/v1/rehearsals/{asked.pk}"
        return answer


class CampaignRehearsalsView(_RehearsalsView):
    @extend_schema(operation_id="campaigns_rehearsals", responses=RehearsalSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The newest ten."""
        return self.list(request, get_object_or_404(Campaign, pk=pk))

    @extend_schema(
        operation_id="campaigns_rehearse", request=RehearsalRequest, responses={202: RehearsalSerializer}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Asks what a launch would do, on the real data with a moved clock; nothing is sent. A worker finds
        out: `Location` says where to ask how far it is."""
        return self.ask(request, get_object_or_404(Campaign, pk=pk))


class JourneyRehearsalsView(_RehearsalsView):
    @extend_schema(operation_id="journeys_rehearsals", responses=RehearsalSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The newest ten."""
        return self.list(request, get_object_or_404(Journey, pk=pk))

    @extend_schema(
        operation_id="journeys_rehearse", request=RehearsalRequest, responses={202: RehearsalSerializer}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Asks what the draft would have done or will do from that time on, by the events on record. A worker
        finds out: `Location` says where to ask how far it is."""
        return self.ask(request, get_object_or_404(Journey, pk=pk))


class RehearsalView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(responses=RehearsalSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """How far it is, and what it found."""
        return Response(document(request, get_object_or_404(Rehearsal, pk=pk)))


class CancelRehearsalView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(request=None, responses=RehearsalSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Ends it at once; nothing is kept. For who asked for it, and for who may change campaigns."""
        row = get_object_or_404(Rehearsal, pk=pk)
        if not may_cancel(request, row):
            self.permission_denied(request)
        cancel_rehearsal(row, actor=actor_name(request))
        return Response(document(request, row))


def ask_and_hand_over(what: Campaign | Journey, wish: Mapping[str, Any], *, actor: str) -> Rehearsal:
    with transaction.atomic():
        asked = ask_for_rehearsal(what, at=wish["at"], days=wish["days"], actor=actor)
        hand_over(tasks.run_rehearsal, asked.pk)
    return asked


def may_cancel(request: Any, row: Rehearsal) -> bool:
    if row.asked_by == actor_name(request):
        return True
    key = getattr(request, "auth", None)
    if isinstance(key, ApiKey):
        return Scope.CAMPAIGNS_WRITE in key.scopes
    return bool(request.user.has_perm("campaigns.change_campaign"))


def document(request: Request, row: Rehearsal) -> dict[str, Any]:
    whole, found = reading.may_see(request), from_document(row.result) if row.result else None
    if found is not None and whole:
        examples = {pk for failure in found.failures.values() for pk in failure.examples}
        reading.note_read(request, examples, page="API: rehearsal")
    return {
        **job_document(row), "campaign": row.campaign_id, "journey": row.journey_id, "at": row.at,
        "days": row.days, "asked_by": row.asked_by, "created_at": row.created_at,
        "finished_at": row.finished_at,
        "result": found and FindingsSerializer(told_findings(found, whole=whole)).data,
    }  # fmt: skip
