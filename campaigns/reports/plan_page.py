"""The plan in editor and report: what a test could see, choosing by hand, changing with a reason."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns import tasks
from campaigns.editor import forms
from campaigns.editor.pages import answers_problems
from campaigns.models import Campaign, Run
from campaigns.planning.outlook import guardrails_ahead, look_ahead_of
from campaigns.reports.page import report_parts
from campaigns.rollout import winner
from experiments.outlooks.words import explain_margin, outlook_document
from experiments.plans.plan import amend_plan
from experiments.selectors import own_experiment
from personalization.access.services import actor_name
from personalization.access.shell import staff_page
from personalization.privacy.told import told_count
from personalization.segments import selectors as segments


@require_POST
@staff_page("campaigns.view_campaign")
@answers_problems
def outlook(request: HttpRequest) -> HttpResponse:
    """For the campaign as it stands in the editor, saved or not; null where there is nothing to say."""
    fields = forms.campaign_fields(forms.read_json(request))
    messages = fields.pop("messages")
    campaign = Campaign(**fields)
    size = campaign.segment and segments.size(campaign.segment, now=timezone.now(), seconds=5.0)
    size = size and told_count(request, size)
    weights = [(message.key, message.weight) for message in messages]
    found = look_ahead_of(campaign, weights, size=size) if size else None
    if found is None:
        return JsonResponse({"outlook": None})
    criteria, metric, seen = found
    return JsonResponse(
        {
            "outlook": outlook_document(seen, metric=_(metric.name)),
            "looks": [round(look * criteria.length_days, 2) for look in criteria.looks],
            "length_days": criteria.length_days,
            "metric": metric.key,
            "guardrails": [
                {
                    "metric": one.metric.key, "name": _(one.metric.name), "margin": one.guardrail.margin,
                    "is_relative": one.guardrail.is_relative, "sentence": one.sentence,
                    "accepted": explain_margin(one.guardrail, one.guardrail.margin, is_share=one.is_share),
                    "is_enough": one.protection is None or one.protection.is_enough,
                }
                for one in guardrails_ahead(campaign, criteria, weights, size=size or 0)
            ],
        }
    )  # fmt: skip


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def choose_winner(request: HttpRequest, campaign_id: int, number: int) -> HttpResponse:
    run = get_object_or_404(Run, campaign=campaign_id, number=number)
    variant = forms.text(forms.read_json(request), "variant") or None
    winner.decide_by_hand(run, variant=variant, actor=actor_name(request))
    tasks.wake()
    return JsonResponse(report_parts(request, run))


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def change_plan(request: HttpRequest, campaign_id: int, number: int) -> HttpResponse:
    run = get_object_or_404(Run, campaign=campaign_id, number=number)
    data = forms.read_json(request)
    amend_plan(
        run.experiment, forms.test_fields(data)["plan"], reason=forms.text(data, "reason"),
        actor=actor_name(request), at=timezone.now(),
    )  # fmt: skip
    return JsonResponse(report_parts(request, run))


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def change_experiment_plan(request: HttpRequest, key: str) -> HttpResponse:
    data = forms.read_json(request)
    amend_plan(
        own_experiment(key), forms.test_fields(data)["plan"], reason=forms.text(data, "reason"),
        actor=actor_name(request), at=timezone.now(),
    )  # fmt: skip
    return JsonResponse({})
