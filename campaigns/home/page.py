"""The first page: what needs me, what is going out now, what it all earned."""

import json
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation

from campaigns.home.needs import needs_of
from campaigns.models import Campaign, Delivery, DeliveryStatus, Run, RunStatus
from campaigns.workflow.month import planned_between
from experiments.long_runs.study import long_run_sentence
from experiments.models import Holdout, LongRunStudy
from experiments.reports.floored_studies import told_long_run
from experiments.reports.sentence import withheld_sentence
from personalization.access.live.stream import stream, wants_stream
from personalization.access.shell import staff_page
from personalization.customers.estimates import About, about
from personalization.customers.models import SOMEBODY, Customer
from personalization.customers.reading import may_see
from personalization.customers.recent import recent
from personalization.events.models import Event
from personalization.privacy.told import step_for, told_count
from personalization.segments.models import Segment
from recommender.models import ModelRun

RECENT_RUNS = 5
NEXT = timedelta(days=7)
MOST_NEXT = 6
COUNTS_SECONDS = 30
PEOPLE = ("customers", "sent")  # of the numbers: those that may be about few of them


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The shell's hook for its index page: adds what this member of staff may see."""
    may, now = request.user.has_perm, timezone.now()
    context["steps"] = _first_steps() if may("campaigns.view_campaign") else []
    context["needs"] = needs_of(request.user, now=now)  # type: ignore[arg-type]  # only staff sees the page
    if may("customers.view_customer"):
        context["tiles"] = {
            name: one._replace(number=told_count(request, one.number)) if name in PEOPLE else one
            for name, one in _counts().items()
        }
    if may("campaigns.view_campaign"):
        context |= _going_out(request, _recent_runs())
        context["earned"] = _earned(whole=may_see(request))
        context["upcoming"] = sorted(planned_between(now, now + NEXT), key=lambda send: send.at)[:MOST_NEXT]
    return context


@staff_page("campaigns.view_campaign")
def live(request: HttpRequest) -> HttpResponseBase:
    """The table of the latest sends: once, or as it becomes while something goes out."""
    if not wants_stream(request):
        return render(request, "shell/home_live.html", _going_out(request, _recent_runs()))
    language, zone = translation.get_language() or "en", timezone.get_current_timezone()

    def say(runs: list[dict[str, Any]]) -> tuple[str, bool]:
        with translation.override(language), timezone.override(zone):
            going_out = _going_out(request, runs)
            html = render_to_string("shell/home_live.html", going_out)
        return json.dumps({"html": html}), not going_out["is_live"]

    return stream(request, "home", _recent_runs, say)


def _going_out(request: HttpRequest, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """With the counts as this member of staff may know them."""
    counts = ("audience", "sent", "waiting", "failed", "unknown")
    runs = [
        row | {name: None if row[name] is None else told_count(request, row[name]) for name in counts}
        for row in runs
    ]
    is_counting = any(row["sent"] is None for row in runs)
    return {
        "runs": runs,
        "fewer_than": step_for(request),
        "is_counting": is_counting,
        "is_live": any(row["run"].status == RunStatus.SENDING for row in runs),
    }


def _counts() -> dict[str, About]:
    """Of a large shop the planner's estimates: counting millions of rows would make the first page slow."""
    counts = cache.get("home:counts")
    if counts is None:
        month = timezone.now() - timedelta(days=30)
        counts = {
            "customers": about(Customer.objects.filter(SOMEBODY)),
            "events": about(Event.objects.filter(occurred_at__gte=month)),
            "sent": about(Delivery.objects.filter(status=DeliveryStatus.SENT, sent_at__gte=month)),
            "segments": about(Segment.objects.filter(archived_at=None)),
        }
        cache.set("home:counts", counts, COUNTS_SECONDS)
    return counts


def _recent_runs() -> list[dict[str, Any]]:
    """Those that go out now, and the newest others."""
    newest = Run.objects.select_related("campaign").order_by("-launched_at")
    under_way = list(newest.filter(status__in=(RunStatus.SENDING, RunStatus.PAUSED))[: 2 * RECENT_RUNS])
    known = {run.pk for run in under_way}
    runs = [*under_way, *(run for run in newest[:RECENT_RUNS] if run.pk not in known)]
    counts = recent(
        "home:outcomes:" + ",".join(f"{run.pk}-{run.status}" for run in runs), lambda: _outcomes(runs)
    )
    return [_row(run, counts) for run in runs]


def _row(run: Run, counts: dict[tuple[int, str], int] | None) -> dict[str, Any]:
    """Numbers are None while they are counted first."""

    def number(status: DeliveryStatus) -> int | None:
        return None if counts is None else counts.get((run.pk, status), 0)

    waiting = number(DeliveryStatus.PENDING)
    done = 0 if waiting is None else run.audience_size - waiting
    return {
        "run": run,
        "status": run.status,
        "audience": run.audience_size,
        "sent": number(DeliveryStatus.SENT),
        "waiting": waiting,
        "failed": number(DeliveryStatus.FAILED),
        "unknown": number(DeliveryStatus.UNKNOWN),
        "share": done / max(run.audience_size, 1),
    }


def _outcomes(runs: list[Run]) -> dict[tuple[int, str], int]:
    rows = Delivery.everything.filter(run__in=runs).values_list("run", "status").annotate(n=Count("id"))
    return {(run, status): n for run, status, n in rows.order_by()}


def _earned(*, whole: bool) -> dict[str, Any]:
    """What all messages together earned, by the newest study of a holdout; how to get one without."""
    study = (
        LongRunStudy.objects.exclude(weeks=None).exclude(weeks=[]).select_related("holdout").order_by("-as_of").first()
    )  # fmt: skip
    holdout = study.holdout if study else Holdout.objects.filter(is_global=True, ended_at=None).first()
    told = study is None or told_long_run(study, whole=whole)
    sentence = (long_run_sentence(study) if told else withheld_sentence()) if study else ""
    return {"holdout": holdout, "study": study, "sentence": sentence}


def _first_steps() -> list[str]:
    """Which of the steps to a first campaign are still to do; empty once a campaign was launched."""
    if Run.objects.exists():
        return []
    done = {
        "customers": Customer.objects.exists(),
        "events": Event.objects.exists(),
        "segments": Segment.objects.exists(),
        "models": ModelRun.objects.filter(is_champion=True).exists(),
        "campaigns": Campaign.objects.exists(),
        "launch": False,
    }
    return [step for step, is_done in done.items() if not is_done]
