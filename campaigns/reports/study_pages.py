"""Pages of what comes after the report: whom to mail, and what everything together earned. Workers
compute; the pages ask for it and show the newest."""

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from experiments import tasks
from experiments.errors import ExperimentError
from experiments.long_runs.study import ask_for_long_run, long_run_sentence
from experiments.models import Experiment, Holdout, LongRunStudy, Metric, TargetingStudy
from experiments.reports.floored_studies import told_long_run, told_targeting
from experiments.reports.newest_studies import newest_first
from experiments.reports.sentence import withheld_sentence
from experiments.sums.outcomes import is_one_number
from experiments.targeting.sentence import subgroups_sentence, targeting_sentence
from experiments.targeting.study import ask_for_study
from personalization.access.jobs.row import UNDER_WAY
from personalization.access.jobs.shown import jobs_part, posted_job
from personalization.access.jobs.work import NotUnderWay, cancel_job
from personalization.access.live.part import live_rows
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers.reading import may_see

WEEKS_SHOWN = 26


@staff_page("campaigns.view_campaign")
def targeting(request: HttpRequest, key: str) -> HttpResponse:
    experiment = get_object_or_404(Experiment, key=key)
    problem, may_ask = "", request.user.has_perm("campaigns.launch_campaign")
    if request.method == "POST":
        ask = partial(_ask_targeting, request, experiment)
        problem = _carry_out(request, experiment.targeting, ask, kind="targeting")
        if not problem:
            return redirect("experiments:targeting", key=key)
    studies = newest_first(experiment.targeting.select_related("metric", "variant"))[:10]
    return render_page(
        request,
        "campaigns/targeting.html",
        {
            "experiment": experiment,
            "studies": [_study(one, whole=may_see(request)) for one in studies if not one.is_under_way],
            **_studies_part(request, key, list(_studies_under_way(key))),
            "may_ask": may_ask,
            "problem": problem,
            "metrics": [
                (m.key, _(m.name)) for m in Metric.objects.filter(archived_at=None) if is_one_number(m)
            ],
            "variants": experiment.variants.filter(is_control=False).order_by("position"),
            "has_control": experiment.variants.filter(is_control=True).exists(),
        },
        title=_("Whom to mail: %(name)s") % {"name": experiment.name},
        status=422 if problem else 200,
    )


@require_GET
@staff_page("campaigns.view_campaign")
def targeting_live(request: HttpRequest, key: str) -> HttpResponseBase:
    return live_rows(
        request, _studies_under_way(key), key=key, template="shell/jobs_live.html",
        context=lambda rows: _studies_part(request, key, rows),
    )  # fmt: skip


def _studies_under_way(key: str) -> QuerySet[TargetingStudy]:
    studies = TargetingStudy.objects.filter(experiment__key=key, status__in=UNDER_WAY)
    return studies.select_related("metric", "variant").order_by("pk")


def _studies_part(request: HttpRequest, key: str, rows: list[TargetingStudy]) -> dict[str, Any]:
    return jobs_part(
        rows, [f"{_(one.metric.name)} · {one.variant.name}" for one in rows],
        live=reverse("experiments:targeting-live", args=[key]),
        act=reverse("experiments:targeting", args=[key]), may_cancel=_may_ask(request),
    )  # fmt: skip


def _may_ask(request: HttpRequest) -> bool:
    return request.user.has_perm("campaigns.launch_campaign")


def _carry_out(request: HttpRequest, rows: Any, ask: Callable[[], None], *, kind: str) -> str:
    """Asks for a study, or cancels the one whose button was pressed; what has ended meanwhile is shown as it
    ended. What is wrong with the wish; empty when nothing is. Raises PermissionDenied."""
    if not _may_ask(request):
        raise PermissionDenied
    if request.POST.get("action") == "cancel":
        with suppress(NotUnderWay):
            cancel_job(posted_job(request, rows), kind=kind, actor=actor_name(request))
        return ""
    try:
        with transaction.atomic():
            ask()
    except ValueError:
        return _("Costs and shares must be numbers.")
    except ExperimentError as error:
        return str(error.detail)
    return ""


def _ask_targeting(request: HttpRequest, experiment: Experiment) -> None:
    data = request.POST
    kept = ask_for_study(
        experiment,
        get_object_or_404(Metric, key=data.get("metric", "")),
        get_object_or_404(experiment.variants, key=data.get("variant", "")),
        now=timezone.now(),
        traits=[name.strip() for name in data.get("traits", "").split(",") if name.strip()],
        cost=float(data.get("cost") or 0),
        save_segment_as=data.get("save_segment", "").strip()[:100],
        write_trait_as=data.get("write_trait", "").strip()[:100],
        actor=actor_name(request),
    )
    tasks.hand_over(tasks.study_targeting, kept.pk)


def _study(study: TargetingStudy, *, whole: bool) -> dict[str, Any]:
    told = told_targeting(study, whole=whole)
    return {
        "study": study,
        "sentence": targeting_sentence(study) if told else withheld_sentence(),
        "groups": subgroups_sentence(study),
        "plot": _gains(study) if study.document else None,
        "plot_id": f"gains-{study.pk}",
    }


def _gains(study: TargetingStudy) -> dict[str, Any]:
    """The gain of each ranking over random order: the area of its Qini curve, per treated customer."""
    document = study.document
    assert document is not None
    known = [(_("The rule"), document["rule"] and document["rule"].get("gain")),
             (_("The model"), document["model"].get("gain")),
             (_("The model over the rule"), document["model_over_rule"])]  # fmt: skip
    return {
        "axis": _("Gain over random order (Qini), per treated customer"),
        "reference": {"value": 0, "label": ""},
        "rows": [{"label": label, "points": [_point(gain)]} for label, gain in known if gain],
    }


def _point(found: dict[str, Any]) -> dict[str, Any]:
    low, high = found["ci"]
    tone = "good" if low is not None and low > 0 else "bad" if high is not None and high < 0 else "plain"
    ends = " – ".join("…" if bound is None else _signed(bound) for bound in (low, high))
    return {
        "value": found["value"], "low": low, "high": high, "tone": tone,
        "text": f"{_signed(found['value'])} ({ends})",
    }  # fmt: skip


def _signed(value: float) -> str:
    """Four digits at least, and never as powers of ten."""
    digits = 3 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:+,.{max(digits, 0)}f}"


@staff_page("campaigns.view_campaign")
def long_run(request: HttpRequest, key: str) -> HttpResponse:
    holdout = get_object_or_404(Holdout, key=key)
    problem, may_ask = "", request.user.has_perm("campaigns.launch_campaign")
    if request.method == "POST":
        ask = partial(_ask_long_run, request, holdout)
        problem = _carry_out(request, holdout.long_run, ask, kind="long_run")
        if not problem:
            return redirect("experiments:long-run", key=key)
    newest = holdout.long_run.order_by("-pk").first()
    shown = holdout.long_run.exclude(weeks=None).order_by("-pk").first()
    told = shown is None or told_long_run(shown, whole=may_see(request))
    return render_page(
        request,
        "campaigns/long_run.html",
        {
            "holdout": holdout,
            "newest": newest,
            "shown": shown,
            "margin": round((shown.wishes.get("margin", 1) if shown else 1) * 100, 4),
            "sentence": (long_run_sentence(shown) if told else withheld_sentence()) if shown else "",
            "plots": _weeks(shown) if shown else None,
            "rows": _rows(shown) if shown else [],
            **_long_run_part(request, key, list(_long_runs_under_way(key))),
            "may_ask": may_ask,
            "problem": problem,
        },
        title=_("What everything earned: %(name)s") % {"name": holdout.name},
        status=422 if problem else 200,
    )


@require_GET
@staff_page("campaigns.view_campaign")
def long_run_live(request: HttpRequest, key: str) -> HttpResponseBase:
    return live_rows(
        request, _long_runs_under_way(key), key=key, template="shell/jobs_live.html",
        context=lambda rows: _long_run_part(request, key, rows),
    )  # fmt: skip


def _long_runs_under_way(key: str) -> QuerySet[LongRunStudy]:
    return LongRunStudy.objects.filter(holdout__key=key, status__in=UNDER_WAY).defer("weeks").order_by("pk")


def _long_run_part(request: HttpRequest, key: str, rows: list[LongRunStudy]) -> dict[str, Any]:
    return jobs_part(
        rows, [_("What everything earned")] * len(rows),
        live=reverse("experiments:long-run-live", args=[key]),
        act=reverse("experiments:long-run", args=[key]), may_cancel=_may_ask(request),
    )  # fmt: skip


def _ask_long_run(request: HttpRequest, holdout: Holdout) -> None:
    data = request.POST
    kept = ask_for_long_run(
        holdout, cost=float(data.get("cost") or 0), margin=float(data.get("margin") or 100) / 100,
        event=data.get("event", "").strip()[:200] or "Order Completed", now=timezone.now(),
        actor=actor_name(request),
    )  # fmt: skip
    tasks.hand_over(tasks.compute_long_run, kept.pk)


def _rows(study: LongRunStudy) -> list[dict[str, Any]]:
    """The newest week first."""
    newest = list(reversed(study.weeks or []))[:WEEKS_SHOWN]
    return [week | {"until_week": date.fromisoformat(week["until_week"])} for week in newest]


def _weeks(study: LongRunStudy) -> list[dict[str, Any]]:
    """Revenue and profit so far, week by week."""
    weeks = (study.weeks or [])[-WEEKS_SHOWN:]
    return [
        {
            "id": f"long-run-{name}",
            "title": title,
            "plot": {
                "axis": title,
                "reference": {"value": 0, "label": ""},
                "rows": [
                    {"label": week["until_week"], "points": [_point(week[name])]}
                    for week in weeks
                    if week[name]
                ],
            },
        }
        for name, title in (
            ("revenue", _("Incremental revenue so far")),
            ("profit", _("Incremental profit so far")),
            ("profit_per_thousand", _("Profit per 1,000 messages so far")),
        )
    ]
