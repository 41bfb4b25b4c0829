"""The page behind a shared address, and the buttons that make one and take it back."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from campaigns.models import Campaign, ReportLink, Run
from campaigns.reports import sharing
from campaigns.reports.found import analysis_context, found_of
from campaigns.reports.page import chart_texts
from personalization.access.models import User
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import staff_page

# What a stranger sees: results. Neither ledger nor steering, nobody's name.
PARTS = ("headline", "allocation", "guards", "tables", "breakdown")


@never_cache
@require_safe
def shared(request: HttpRequest, secret: str) -> HttpResponse:
    run = sharing.opened_by(secret, now=timezone.now())
    if run is None:
        return _private(render(request, "campaigns/shared_gone.html", status=404))
    found = found_of(run.experiment)
    context: dict[str, Any] = {"run": run, **found["context"], **analysis_context(run.experiment)}
    page = render(
        request,
        "campaigns/shared_report.html",
        {
            "run": run,
            "as_of": context["analysis"].as_of,
            "parts": [render_to_string(f"campaigns/report_{name}.html", context, request) for name in PARTS],
            "page_data": {"charts": found["charts"], "live": 0, "dataUrl": "", "texts": chart_texts()},
        },
    )
    return _private(page)


def _private(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
@staff_page("campaigns.add_reportlink")
def share(request: HttpRequest, campaign_id: int, number: int) -> HttpResponse:
    run = get_object_or_404(Run, campaign=campaign_id, number=number)
    days = request.POST.get("days", "")
    try:
        _link, address = sharing.share(
            run, actor=actor_name(request), user=cast(User, request.user),
            days=int(days) if days.isdecimal() else 0, note=request.POST.get("note", ""),
        )  # fmt: skip
    except ProblemError as error:
        messages.error(request, error.detail)
    else:
        text = _("Copy the address now, it is shown only this once: %(address)s")
        messages.success(request, text % {"address": address})
    return redirect(_report(run.campaign, run))


@require_POST
@staff_page("campaigns.change_reportlink")
def take_back(request: HttpRequest, link_id: int) -> HttpResponse:
    link = get_object_or_404(ReportLink.objects.select_related("run__campaign"), pk=link_id)
    sharing.take_back(link, actor=actor_name(request))
    messages.success(request, _("Taken back. The address opens nothing any more."))
    return redirect(_report(link.run.campaign, link.run))


def _report(campaign: Campaign, run: Run) -> str:
    return f"/app/campaigns/{campaign.pk}/report/?run={run.number}#share"
