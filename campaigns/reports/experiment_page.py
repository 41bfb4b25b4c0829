"""The report of an experiment that no campaign made: the same parts, without sending.

Its address is the experiment's key; one that belongs to a run leads to the run's report.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Run
from campaigns.reports.found import analysis_context, found_of, wish
from campaigns.reports.group_form import group_form
from campaigns.reports.page import EVENTS_GO_ON, chart_texts
from campaigns.reports.plan_form import plan_form
from campaigns.reports.sharing import share_context
from experiments.looks.decision_document import decision_card
from experiments.models import Analysis, Experiment
from experiments.reports import analyses
from personalization.access.live.part import live_part
from personalization.access.live.stream import wants_stream
from personalization.access.shell import render_page, staff_page
from personalization.customers.reading import may_see

SECONDS = 10
PARTS = ("headline", "decision", "allocation", "analysis", "guards", "tables", "breakdown", "groups")


@staff_page("campaigns.view_campaign")
def report(request: HttpRequest, key: str) -> HttpResponse:
    experiment = get_object_or_404(Experiment, key=key)
    run = Run.objects.filter(experiment=experiment).first()
    if run is not None:
        page = reverse("campaigns:report", args=[run.campaign_id])
        return redirect(f"{page}?run={run.number}")
    parts = experiment_parts(request, experiment)
    return render_page(
        request,
        "campaigns/report_experiment.html",
        {
            "experiment": experiment,
            **share_context(experiment),
            "parts": parts["parts"],
            "plan_form": plan_form(experiment)
            if request.user.has_perm("campaigns.launch_campaign")
            else None,
            "plan_url": reverse("experiments:change-plan", args=[experiment.key]),
            "group_form": group_form(experiment)
            if request.user.has_perm("campaigns.launch_campaign")
            else None,
            "page_data": {
                "charts": parts["charts"],
                "live": parts["live"],
                "streams": parts["streams"],
                "dataUrl": reverse("experiments:report-data", args=[experiment.key]),
                "texts": chart_texts(),
            },
        },
        title=experiment.name or experiment.key,
    )


@staff_page("campaigns.view_campaign")
def data(request: HttpRequest, key: str) -> HttpResponseBase:
    """The parts of the page that change, as HTML, and the numbers of its plots; how far the analysis is, as
    it goes on, for whoever asks for a stream."""
    experiment = get_object_or_404(Experiment, key=key)
    if wants_stream(request):
        return _analysis_stream(request, experiment)
    return JsonResponse(experiment_parts(request, experiment))


def _analysis_stream(request: HttpRequest, experiment: Experiment) -> HttpResponseBase:
    rows = Analysis.objects.filter(experiment=experiment).defer("result")
    return live_part(
        request, rows, analyses.analysis_of(experiment).pk, template="campaigns/report_analysis.html",
        context=lambda row: analysis_context(experiment, row), is_active=lambda row: row.is_under_way,
    )  # fmt: skip


def experiment_parts(request: HttpRequest, experiment: Experiment) -> dict[str, Any]:
    wish(experiment)
    found = found_of(experiment, whole=may_see(request))
    analysis = analysis_context(experiment)
    is_withheld = found["context"].get("is_withheld")
    decision = None if is_withheld else decision_card(experiment)
    context = {**found["context"], **analysis, "decision": decision}
    return {
        "parts": {
            name: render_to_string(f"campaigns/report_{name}.html", context, request) for name in PARTS
        },
        # Nothing was sent, so there is no way from sent to bought.
        "charts": {**found["charts"], "funnel": []},
        "live": _pace(experiment, analysis["analysis"]),
        "streams": "analysis" if analysis["analysis"].is_under_way else "",
    }


def _pace(experiment: Experiment, analysis: Analysis) -> int:
    if analysis.is_under_way:
        return 1
    return SECONDS if _goes_on(experiment) else 0


def _goes_on(experiment: Experiment) -> bool:
    end = experiment.ended_at
    if end is None:
        return experiment.started_at is not None
    return timezone.now() - end < EVENTS_GO_ON
