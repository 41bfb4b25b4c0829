"""The page of rehearsals: of a campaign from its editor, of a journey from its picture."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from campaigns.models import Campaign, Journey, Rehearsal, SkipReason
from campaigns.pacing.words import duration
from campaigns.rehearsing.api import SHOWN, RehearsalRequest, ask_and_hand_over, may_cancel
from campaigns.rehearsing.asking import cancel_rehearsal, rehearsals_of
from campaigns.rehearsing.found import Findings, from_document
from campaigns.rehearsing.rehearsal import DAYS
from campaigns.rehearsing.told import most_first, told_findings
from personalization.access.jobs.row import UNDER_WAY
from personalization.access.jobs.shown import jobs_part, posted_job
from personalization.access.jobs.work import said
from personalization.access.live.part import live_rows
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers import reading
from personalization.customers.models import Customer
from personalization.privacy.told import step_for


@require_http_methods(["GET", "POST"])
@staff_page("campaigns.view_campaign")
def campaign_rehearsal(request: HttpRequest, campaign_id: int) -> HttpResponse:
    return _page(request, get_object_or_404(Campaign, pk=campaign_id))


@require_http_methods(["GET", "POST"])
@staff_page("campaigns.view_journey")
def journey_rehearsal(request: HttpRequest, journey_id: int) -> HttpResponse:
    return _page(request, get_object_or_404(Journey, pk=journey_id))


@require_GET
@staff_page("campaigns.view_campaign")
def campaign_live(request: HttpRequest, campaign_id: int) -> HttpResponseBase:
    return _live(request, get_object_or_404(Campaign, pk=campaign_id))


@require_GET
@staff_page("campaigns.view_journey")
def journey_live(request: HttpRequest, journey_id: int) -> HttpResponseBase:
    return _live(request, get_object_or_404(Journey, pk=journey_id))


def _page(request: HttpRequest, what: Campaign | Journey) -> HttpResponse:
    """The form, what is under way, and what the newest one found."""
    context: dict[str, Any] = {"what": what, "is_journey": isinstance(what, Journey), "days": DAYS}
    if request.method == "POST":
        if request.POST.get("action") == "cancel":
            _cancel(request, what)
            return redirect(_address(what))
        context |= {"at": request.POST.get("at", ""), "days": request.POST.get("days", "")}
        context["trouble"] = _ask(request, what)
        if not context["trouble"]:
            return redirect(_address(what))
    context |= _part(request, what, list(_under_way(what)))
    ended = rehearsals_of(what).exclude(status__in=UNDER_WAY).order_by("-pk")
    context |= {"newest": ended.defer("result").first(), **_found(request, ended)}
    status = 422 if context.get("trouble") else 200
    return render_page(request, "campaigns/rehearsal.html", context, title=_("Rehearsal"), status=status)


def _ask(request: HttpRequest, what: Campaign | Journey) -> str:
    """What is wrong with the wish; empty when it was asked for."""
    wish = RehearsalRequest(data={"at": request.POST.get("at") or None, "days": request.POST.get("days", "")})
    if not wish.is_valid():
        return _("Choose a date, a time and a number of days up to 92.")
    try:
        ask_and_hand_over(what, wish.validated_data, actor=actor_name(request))
    except ProblemError as error:
        return said(error)
    return ""


def _cancel(request: HttpRequest, what: Campaign | Journey) -> None:
    row = posted_job(request, rehearsals_of(what))
    if not may_cancel(request, row):
        raise PermissionDenied
    try:
        cancel_rehearsal(row, actor=actor_name(request))
    except ProblemError as error:
        messages.error(request, error.detail)


def _live(request: HttpRequest, what: Campaign | Journey) -> HttpResponseBase:
    return live_rows(
        request, _under_way(what), key=(what._meta.label, what.pk), template="shell/jobs_live.html",
        context=lambda rows: _part(request, what, rows),
    )  # fmt: skip


def _under_way(what: Campaign | Journey) -> QuerySet[Rehearsal]:
    return rehearsals_of(what).filter(status__in=UNDER_WAY).order_by("pk")


def _part(request: HttpRequest, what: Campaign | Journey, rows: list[Rehearsal]) -> dict[str, Any]:
    return jobs_part(
        rows, [_("Rehearsal")] * len(rows), live=f"{_address(what)}live", act=_address(what),
        may_cancel=all(may_cancel(request, row) for row in rows),
    )  # fmt: skip


def _address(what: Campaign | Journey) -> str:
    room = "journeys" if isinstance(what, Journey) else "campaigns"
    return reverse(f"{room}:rehearsal", args=[what.pk])


def _found(request: HttpRequest, ended: QuerySet[Rehearsal]) -> dict[str, Any]:
    """By the newest that found something."""
    row = ended.exclude(result=None).first()
    if row is None or row.result is None:
        return {}
    found = told_findings(from_document(row.result), whole=reading.may_see(request))
    told = {"found": found, "rehearsed_at": row.finished_at, "fewer_than": step_for(request)}
    return told | _shown(request, found)


def _held_back(found: Findings) -> dict[str, Any]:
    """Who gets nothing and who would still wait: label, how many, and the length of the bar, most first."""
    labels = dict(SkipReason.choices)
    most = max([*found.reasons.values(), *found.waiting.values()], default=1) or 1
    return {
        name: [
            (labels.get(reason, reason), n, f"{n / most * 100:.1f}")
            for reason, n in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        ]
        for name, counts in (("reasons", found.reasons), ("waiting", found.waiting))
    }


def _shown(request: HttpRequest, found: Findings) -> dict[str, Any]:
    labels = dict(SkipReason.choices)
    seconds = (found.last_at - found.starts_at).total_seconds() if found.last_at else 0
    most = max(found.days.values(), default=1) or 1
    failures = most_first(found)
    wanted = {pk for failure in failures for pk in failure.examples[:SHOWN]}
    people = Customer.objects.filter(pk__in=wanted | {sample["customer"] for sample in found.samples})
    names = {one.pk: one for one in reading.show(request, people, page="rehearsal")}
    return {
        "failures": [
            {
                "variant": one.variant,
                "reason": labels.get(one.reason, one.reason),
                "detail": _(one.detail) if one.detail else "",
                "customers": one.customers,
                "examples": [names[pk] for pk in one.examples[:SHOWN] if pk in names],
            }
            for one in failures
        ],
        "takes": duration(seconds) if seconds else "",
        "rate": f"{found.per_second:g}" if found.per_second else "",
        "by_day": [(day, n, f"{n / most * 100:.1f}") for day, n in sorted(found.days.items())],
        **_held_back(found),
        "samples": [{**one, "customer": names.get(one["customer"])} for one in found.samples],
    }
