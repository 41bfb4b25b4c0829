"""Staff pages of the recommenders: what serves and why, all models compared, one model in detail."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from personalization.access.live.part import live_part, live_rows
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.catalog.selectors import items as catalog_items
from personalization.events.models import Event
from recommender import algorithms, selectors, services
from recommender.algorithms import ArtifactError, MissingExtraError, UnknownAlgorithmError
from recommender.inputs.interactions import DEFAULT_EVENT_WEIGHTS
from recommender.models import DecidingMetric, ModelRun, RunStatus
from recommender.pages import advice, figures, wording
from recommender.pages.training_form import parameter_title
from recommender.serving import serve_run

TOPIC_ITEMS = 8
MAX_TOPICS = 16


@require_GET
@staff_page("recommender.view_modelrun")
def overview(request: HttpRequest) -> HttpResponse:
    repeats = request.GET.get("use") == "again"
    metric = request.GET.get("metric", DecidingMetric.NDCG)
    if metric not in DecidingMetric:
        raise Http404
    rows = figures.latest_rows(repeats=repeats, metric=metric)
    return render_page(
        request,
        "recommender/overview.html",
        {
            "champions": [_champion(request, use) for use in (False, True)],
            "rows": rows,
            "has_runs": bool(rows) or ModelRun.objects.exists(),
            "has_events": _has_events(),
            **figures.active_part(figures.active_runs()),
            "plot": figures.comparison_plot(rows, metric),
            "repeats": repeats,
            "metric": metric,
            "metric_title": wording.metric_title(metric),
            "metrics": DecidingMetric.choices,
            **_rights(request),
        },
        title=_("Recommenders"),
    )


def _champion(request: HttpRequest, repeats: bool) -> dict[str, Any] | None:
    """What the card about one use says; None for repeats that no model was promoted for."""
    run = selectors.champion(repeats=repeats)
    if run is None and repeats:
        return None
    previous = services.previous_champion(repeats=repeats)
    return {
        "run": run,
        "repeats": repeats,
        "sentence": wording.why_it_serves(run) if run else "",
        "promotion": wording.promotion(run) if run else "",
        "tone": wording.tone(wording.above_popular(run)) if run else "plain",
        "file_is_missing": run is not None and not has_file(run),
        "previous": previous,
        "previous_title": wording.run_title(previous) if previous else "",
    }


def has_file(run: ModelRun) -> bool:
    return bool(run.artifact) and (settings.MODEL_DIR / run.artifact).is_file()


def _has_events() -> bool:
    return Event.objects.filter(name__in=list(DEFAULT_EVENT_WEIGHTS), item__isnull=False).exists()


def _rights(request: HttpRequest) -> dict[str, bool]:
    may = request.user.has_perm
    return {
        "can_train": may("recommender.add_modelrun"),
        "can_promote": may("recommender.change_modelrun"),
        "can_try": may("customers.view_customer"),
    }


@require_GET
@staff_page("recommender.view_modelrun")
def live(request: HttpRequest) -> HttpResponseBase:
    """The trainings under way."""
    return live_rows(
        request, figures.active_runs(), key="all", template="recommender/live.html",
        context=figures.active_part,
    )  # fmt: skip


@require_GET
@staff_page("recommender.view_modelrun")
def run_page(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(ModelRun.objects.defer("item_ids"), pk=run_id)
    found_file = has_file(run)
    return render_page(
        request,
        "recommender/run.html",
        {
            "run": run,
            "model_title": wording.run_title(run),
            "use": _("also what a customer has already") if run.repeats else _("items new to a customer"),
            "is_active": run.status in figures.ACTIVE,
            "progress": figures.progress(run),
            "metrics": figures.metric_rows(run),
            "decision": wording.decision(run),
            "promotion": wording.promotion(run),
            "duration": wording.duration(run),
            "differences": [_difference(found) for found in figures.differences(run)],
            "plots": {"metrics": figures.metrics_plot(run), "difference": figures.difference_plot(run)},
            "parameters": [(parameter_title(name), name, value) for name, value in run.parameters.items()],
            "weights": sorted(run.event_weights.items(), key=lambda pair: -pair[1]),
            "trials": _trials(run),
            "has_file": found_file,
            "has_topics": found_file and run.status == RunStatus.DONE and _has_topics(run),
            "advice": _advice(run),
            "requested_auto": run.requested == "auto",
            **_rights(request),
        },
        title=wording.run_title(run),
    )


def _difference(found: Any) -> dict[str, str]:
    return {
        "against": wording.opponent_title(found["against"]),
        "figure": wording.difference_figure(found),
        "n": wording.count(found["n_users"]),
        "tone": wording.tone(found),
    }


def _trials(run: ModelRun) -> list[dict[str, Any]]:
    """Tries of the tuning, best first."""
    trials = run.tuning.get("trials", [])
    ranked = sorted(trials, key=lambda trial: (trial["value"] is None, -(trial["value"] or 0.0)))
    return [
        {
            "title": wording.algorithm_title(trial["algorithm"]),
            "parameters": ", ".join(
                f"{parameter_title(name)} {value}" for name, value in trial["parameters"].items()
            ),
            "value": "–" if trial["value"] is None else f"{trial['value']:.4f}",
            "seconds": trial["seconds"],
            "error": trial["error"],
        }
        for trial in ranked
    ]


def _has_topics(run: ModelRun) -> bool:
    try:
        return hasattr(algorithms.get(run.algorithm), "topics")
    except UnknownAlgorithmError:
        return False


def _advice(run: ModelRun) -> advice.Row | None:
    try:
        return advice.row(run.algorithm)
    except UnknownAlgorithmError:
        return None


@require_GET
@staff_page("recommender.view_modelrun")
def run_live(request: HttpRequest, run_id: int) -> HttpResponseBase:
    def context(run: ModelRun) -> dict[str, Any]:
        return {
            "run": run,
            "progress": figures.progress(run),
            "is_active": run.status in figures.ACTIVE,
            **_rights(request),
        }

    return live_part(
        request,
        ModelRun.objects.defer("item_ids"),
        run_id,
        template="recommender/run_live.html",
        context=context,
        is_active=lambda run: run.status in figures.ACTIVE,
    )


@require_GET
@staff_page("recommender.view_modelrun")
def topics(request: HttpRequest, run_id: int) -> HttpResponse:
    """The interests that a model of non-negative factors found, each as the items that stand for it."""
    run = get_object_or_404(ModelRun, pk=run_id)
    context: dict[str, Any] = {"topics": []}
    try:
        served = serve_run(run)
        find = getattr(served.model, "topics", None)
        if find is None:
            raise Http404
        columns = find(TOPIC_ITEMS)[:MAX_TOPICS]
        wanted = [[int(served.item_ids[column]) for column in topic] for topic in columns]
        known = catalog_items({item for topic in wanted for item in topic})
        named = [[known[item] for item in topic if item in known] for topic in wanted]
        context["topics"] = [topic for topic in named if topic]
    except (ArtifactError, MissingExtraError, UnknownAlgorithmError) as error:
        context["problem"] = unusable(error)
    return render(request, "recommender/topics.html", context)


def unusable(error: Exception) -> str:
    """Why a model cannot be asked, in one sentence."""
    if isinstance(error, MissingExtraError):
        return _("This model needs packages that are not installed here: %(why)s.") % {"why": error}
    if isinstance(error, UnknownAlgorithmError):
        return _("This version does not know the algorithm of this model any more.")
    return _("The file of this model is missing or damaged on this machine; train it again.")


@require_POST
@staff_page("recommender.change_modelrun")
def promote(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(ModelRun, pk=run_id)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, _("Say why this model is to serve; the reason is kept with it."))
        return redirect("recommender:run", run_id)
    try:
        services.promote(run, actor=actor_name(request), reason=reason[:300])
        messages.success(request, _("%(model)s serves from now on.") % {"model": wording.run_title(run)})
    except ProblemError as error:
        messages.error(request, error.detail)
    return redirect("recommender:run", run_id)


@require_POST
@staff_page("recommender.change_modelrun")
def roll_back(request: HttpRequest) -> HttpResponse:
    """Back to the champion before the present one of that use, if it still is the one the page spoke of."""
    reason = request.POST.get("reason", "").strip() or _("Rolled back by hand")
    away_from = request.POST.get("from", "")
    if not away_from.isdigit():
        return HttpResponseBadRequest()
    try:
        run = services.roll_back(
            actor=actor_name(request),
            reason=reason[:300],
            repeats=request.POST.get("use") == "again",
            away_from=int(away_from),
        )
        messages.success(request, _("%(model)s serves again.") % {"model": wording.run_title(run)})
    except ProblemError as error:
        messages.error(request, error.detail)
    return redirect("recommender:list")


@require_GET
@staff_page("recommender.view_modelrun")
def which(request: HttpRequest) -> HttpResponse:
    """Which recommender is good for what."""
    context = {"rows": advice.table(), **_rights(request)}
    return render_page(request, "recommender/which.html", context, title=_("Which recommender?"))
