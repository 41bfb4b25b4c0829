"""The page about one segment's members: over time, who was in when, why one is in, how clauses narrow."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from personalization.access.problems import ProblemError
from personalization.access.shell import render_page, staff_page
from personalization.customers import reading
from personalization.customers.selectors import find_any
from personalization.privacy.floor import round_down
from personalization.privacy.told import told_count, told_words
from personalization.segments import explain, history, selectors
from personalization.segments.definition import DefinitionError
from personalization.segments.export_views import exports_part
from personalization.segments.models import Segment

DAYS = (7, 30, 90, 365)
SHOWN = 50
MOST_COMPARED = 3
SECONDS = 8.0


@staff_page("segments.view_segment")
def insight(request: HttpRequest, segment_id: int) -> HttpResponse:
    """GET shows it; a POST asks about one customer, so that nobody's id stands in an address."""
    segment = get_object_or_404(Segment, pk=segment_id)
    now = timezone.now()
    may_see = reading.may_see(request)
    moves = list(segment.moves.select_related("customer").order_by("-pk")[:10]) if may_see else []
    reading.show(request, [move.customer for move in moves if move.customer], page="segment")
    days = next((days for days in DAYS if str(days) == request.GET.get("days")), 30)
    sizes = history.sizes(segment, since=now - timedelta(days=days), until=now)
    context: dict[str, Any] = {
        "segment": segment, "may_see": may_see, "days": days, "choices": DAYS,
        "current": segment.versions.order_by("-number").first(),
        "plot": [
            [size.at.isoformat(), *(told_count(request, n) for n in (size.members, size.entered)),
             -told_count(request, size.left)]
            for size in sizes
        ],
        "watch": getattr(segment, "watch", None),
        "members": told_words(history.member_total(segment), whole=may_see),
        "moves": moves,
        "others": Segment.objects.filter(archived_at=None).exclude(pk=segment.pk),
        **_then(request, segment, now=now), **_compared(request, segment), **exports_part(request, segment),
    }  # fmt: skip
    if context["current"] is not None:
        context |= _narrowing(segment, now=now, whole=may_see)
        if request.method == "POST" and may_see:
            context |= _why(request, segment, now=now)
    return render_page(request, "segments/insight.html", context, title=segment.name)


def _then(request: HttpRequest, segment: Segment, *, now: datetime) -> dict[str, Any]:
    """Who was in at the asked time; a bare date is its first moment in UTC."""
    asked = request.GET.get("at", "")
    if not asked:
        return {}
    try:
        day = parse_date(asked)
        at = datetime(day.year, day.month, day.day) if day else parse_datetime(asked)
    except ValueError:
        at = None
    if at is None:
        return {"at": asked, "then_problem": _("Give a date such as 2026-03-03.")}
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    try:
        rows = history.members_at(segment, at=min(at, now))
    except ProblemError as error:
        return {"at": asked, "then_problem": f"{error.title}. {error.detail}"}
    whole = reading.may_see(request)
    people = list(rows.select_related("customer")[:SHOWN]) if whole else []
    reading.show(request, [row.customer for row in people if row.customer], page="segment")
    return {
        "at": asked,
        "then": people,
        "then_count": told_words(rows.count(), whole=whole),
        "then_at": min(at, now),
    }


def _compared(request: HttpRequest, segment: Segment) -> dict[str, Any]:
    wanted = [int(one) for one in request.GET.getlist("with") if one.isdecimal()][:MOST_COMPARED]
    others = list(Segment.objects.filter(pk__in=wanted, archived_at=None).exclude(pk=segment.pk))
    if not others:
        return {"chosen": []}
    compared, whole = [segment, *others], reading.may_see(request)
    regions = explain.overlap(compared)
    largest = max((told_count(request, region.count) for region in regions), default=0) or 1
    return {
        "chosen": [other.pk for other in others],
        "compared": [
            (one, told_words(explain.sizes_of(regions).get(one.pk, 0), whole=whole)) for one in compared
        ],
        "regions": [
            {
                "marks": [one.pk in region.segments for one in compared],
                "count": told_words(region.count, whole=whole),
                "width": f"{100 * told_count(request, region.count) / largest:.1f}%",
            }
            for region in regions
        ],
    }


def _narrowing(segment: Segment, *, now: datetime, whole: bool) -> dict[str, Any]:
    try:
        with selectors.time_limit(SECONDS):
            steps = explain.funnel(segment.current.definition, now=now)
    except DefinitionError:
        return {"funnel_problem": _("This version cannot be read any more.")}
    except ProblemError as error:
        return {"funnel_problem": f"{error.title}. {error.detail}"}
    total = max(selectors.customer_total(), 1)
    rows = [
        {
            "sentence": step.sentence,
            "left": told_words(step.left, whole=whole),
            "alone": told_words(step.alone, whole=whole),
            "width": f"{100 * (step.left if whole else round_down(step.left)) / total:.1f}%",
        }
        for step in steps
    ]
    return {"funnel": rows, "total": told_words(total, whole=whole)}


def _why(request: HttpRequest, segment: Segment, *, now: datetime) -> dict[str, Any]:
    asked = request.POST.get("customer", "").strip()
    customer = find_any(asked)
    if customer is None:
        return {"asked": asked, "why_problem": _("Nobody has this customer id.")}
    reading.note_read(request, [customer.pk], page="segment")
    try:
        clause = explain.explain(segment.current.definition, customer, now=now)
    except DefinitionError:
        return {"asked": asked, "why_problem": _("This version cannot be read any more.")}
    return {"asked": asked, "customer": customer, "why": clause}
