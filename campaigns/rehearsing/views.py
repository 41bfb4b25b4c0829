"""Rehearsals by API and in the shell: a campaign from its editor, a journey from its picture."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Campaign, Journey, SkipReason
from campaigns.pacing.words import duration
from campaigns.rehearsing.found import Failure, Rehearsal
from campaigns.rehearsing.rehearsal import DAYS, WEB_UNITS, rehearse, rehearse_journey
from personalization.access.models import Scope
from personalization.access.problems import ProblemError
from personalization.access.shell import render_page, staff_page
from personalization.customers import reading
from personalization.customers.models import Customer

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


class RehearsalSerializer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    is_cut = serializers.BooleanField(
        help_text="It was too much work for one call and ended at `ends_at`: ask for fewer days, or run "
        "`manage.py rehearse`."
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
    def get_failures(self, found: Rehearsal) -> list[dict[str, Any]]:
        return list(FailureSerializer(_most_first(found), many=True).data)

    def get_days(self, found: Rehearsal) -> dict[str, int]:
        return {day.isoformat(): n for day, n in sorted(found.days.items())}


PARAMETERS = [
    OpenApiParameter("at", datetime, description="When it begins; the campaign's plan, or now."),
    OpenApiParameter("days", int, description="How far the clock goes on."),
]


class RehearsalView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(operation_id="campaigns_rehearsal", parameters=PARAMETERS, responses=RehearsalSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What a launch would do, on the real data with a moved clock; nothing is sent."""
        at, days = _asked(request.query_params)
        found = rehearse(get_object_or_404(Campaign, pk=pk), at=at, days=days)
        return _answer(request, found)


class JourneyRehearsalView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(operation_id="journeys_rehearsal", parameters=PARAMETERS, responses=RehearsalSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """What the draft would have done or will do from that time on, by the events on record."""
        at, days = _asked(request.query_params)
        journey = get_object_or_404(Journey, pk=pk)
        found = rehearse_journey(journey, at=at or timezone.now(), days=days, units=WEB_UNITS)
        return _answer(request, found)


def _answer(request: Request, found: Rehearsal) -> Response:
    answer = RehearsalSerializer(found).data
    if reading.may_see(request):
        shown = {pk for failure in found.failures.values() for pk in failure.examples}
        reading.note_read(request, shown, page="API: rehearsal")
    else:
        for failure in answer["failures"]:  # what a filter could not use may be a name
            failure.update(detail="", examples=[])
    return Response(answer)


def _most_first(found: Rehearsal) -> list[Failure]:
    return sorted(found.failures.values(), key=lambda one: (-one.customers, one.variant, one.detail))


def _asked(data: Any) -> tuple[datetime | None, int]:
    text, days = data.get("at", ""), data.get("days", "")
    try:
        at = parse_datetime(text) if text else None
    except ValueError:
        at = None
    if text and at is None:
        raise serializers.ValidationError({"at": ["Write the time like 2026-12-01T09:00Z."]})
    if days and (not (days.isascii() and days.isdigit()) or len(days) > 3 or not 0 < int(days) <= MAX_DAYS):
        raise serializers.ValidationError({"days": [f"A number from 1 to {MAX_DAYS}."]})
    if at is not None and at.tzinfo is None:
        at = timezone.make_aware(at)
    if at is not None and not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise serializers.ValidationError({"at": [f"A time of the years {EARLIEST_YEAR} to {LATEST_YEAR}."]})
    return at, int(days or DAYS)


@staff_page("campaigns.view_campaign")
def campaign_rehearsal(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    return _page(request, campaign, lambda at, days: rehearse(campaign, at=at, days=days))


@staff_page("campaigns.view_journey")
def journey_rehearsal(request: HttpRequest, journey_id: int) -> HttpResponse:
    journey = get_object_or_404(Journey, pk=journey_id)
    return _page(
        request,
        journey,
        lambda at, days: rehearse_journey(journey, at=at or timezone.now(), days=days, units=WEB_UNITS),
    )


def _page(request: HttpRequest, what: Campaign | Journey, run: Any) -> HttpResponse:
    """The form alone at first: a rehearsal of a large audience takes a while."""
    context: dict[str, Any] = {"what": what, "is_journey": isinstance(what, Journey), "days": DAYS}
    if request.GET.get("days"):
        context |= {"at": request.GET.get("at", ""), "days": request.GET["days"]}
        try:
            found = run(*_asked(request.GET))
            context |= {"found": found, **_shown(request, found)}
        except ProblemError as error:
            context["trouble"] = " ".join([str(error.detail), *(one["detail"] for one in error.errors)])
        except serializers.ValidationError:
            context["trouble"] = _("Choose a date, a time and a number of days up to 92.")
    return render_page(request, "campaigns/rehearsal.html", context, title=_("Rehearsal"))


def _held_back(found: Rehearsal) -> dict[str, Any]:
    """Who gets nothing and who would still wait: label, how many, and the length of the bar, most first."""
    labels = dict(SkipReason.choices)
    most = max([*found.reasons.values(), *found.waiting.values()], default=1)
    return {
        name: [
            (labels.get(reason, reason), n, f"{n / most * 100:.1f}")
            for reason, n in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        ]
        for name, counts in (("reasons", found.reasons), ("waiting", found.waiting))
    }


def _shown(request: HttpRequest, found: Rehearsal) -> dict[str, Any]:
    labels = dict(SkipReason.choices)
    seconds = (found.last_at - found.starts_at).total_seconds() if found.last_at else 0
    most = max(found.days.values(), default=1)
    may_see = request.user.has_perm("customers.view_customer")
    failures = _most_first(found)
    wanted = {pk for failure in failures for pk in failure.examples[:SHOWN]}
    people = Customer.objects.filter(pk__in=wanted | {sample["customer"] for sample in found.samples})
    names = {one.pk: one for one in reading.show(request, people, page="rehearsal")} if may_see else {}
    return {
        "failures": [
            {
                "variant": one.variant,
                "reason": labels.get(one.reason, one.reason),
                "detail": one.detail,
                "customers": one.customers,
                "examples": [names[pk] for pk in one.examples[:SHOWN] if may_see and pk in names],
            }
            for one in failures
        ],
        "takes": duration(seconds) if seconds else "",
        "rate": f"{found.per_second:g}" if found.per_second else "",
        "by_day": [(day, n, f"{n / most * 100:.1f}") for day, n in sorted(found.days.items())],
        **_held_back(found),
        "samples": [{**one, "customer": names.get(one["customer"])} for one in found.samples if may_see],
    }
