"""Choosing the groups of customers that a report compares: what the form shows, and what it sends."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.editor import forms
from campaigns.editor.pages import answers_problems
from experiments import tasks
from experiments.breakdowns.breakdown import MAX_CUTS, GroupChoice
from experiments.models import Experiment, Metric
from experiments.reports import analyses
from personalization.access.services import actor_name
from personalization.access.shell import staff_page
from personalization.segments.fields import known_traits
from personalization.segments.models import Segment

MOST_TRAITS = 40
# What names a person, or a moment, makes no groups.
NOT_GROUPS = frozenset({"email", "phone", "first_name", "last_name", "external_id"})


def group_form(experiment: Experiment) -> dict[str, Any]:
    choice = GroupChoice.from_json(analyses.analysis_of(experiment).groups)
    traits = [
        found["name"]
        for found in known_traits()
        if found["name"] not in NOT_GROUPS and found["kind"] != "date"
    ]
    names = list(dict.fromkeys([*choice.traits, *traits]))[:MOST_TRAITS]
    return {
        "traits": [(name, name in choice.traits) for name in names],
        "segments": [
            (segment.pk, segment.name, segment.pk in choice.segments)
            for segment in Segment.objects.filter(archived_at=None).order_by("name")[:MOST_TRAITS]
        ],
        "metrics": [
            (metric.key, _(metric.name), metric.key == choice.metric)
            for metric in Metric.objects.filter(quantile=None, archived_at=None)
        ],
        "method": choice.method,
        "most": MAX_CUTS,
        "is_open": bool(choice),
    }


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def choose(request: HttpRequest, key: str) -> HttpResponse:
    experiment = get_object_or_404(Experiment, key=key)
    data = forms.read_json(request)
    traits, segments = data.get("traits") or [], data.get("segments") or []
    analyses.choose_groups(
        experiment,
        traits=[str(name) for name in traits],
        segments=[int(pk) for pk in segments if str(pk).isdigit()],
        metric=forms.text(data, "metric") or None,
        method="bh" if data.get("method") == "bh" else "holm",
        actor=actor_name(request),
    )
    tasks.wish(experiment, force=True)
    return JsonResponse({})


@require_POST
@staff_page("campaigns.view_campaign")
def refresh(request: HttpRequest, key: str) -> HttpResponse:
    """Asks for a fresh result; the page shows it when it is there."""
    tasks.wish(get_object_or_404(Experiment, key=key), force=True)
    return JsonResponse({})


@require_POST
@staff_page("campaigns.view_campaign")
@answers_problems
def cancel_refresh(request: HttpRequest, key: str) -> HttpResponse:
    """Ends the analysis under way; whoever may ask for one may do so."""
    analyses.cancel(get_object_or_404(Experiment, key=key), actor=actor_name(request))
    return JsonResponse({})
