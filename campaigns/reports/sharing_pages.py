"""The page behind a shared address, and the buttons that make one and take it back."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from campaigns.models import ReportLink, Run
from campaigns.reports import sharing
from campaigns.reports.found import analysis_context, found_of
from campaigns.reports.page import chart_texts
from experiments.models import Experiment
from personalization.access.models import User
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import staff_page

# What a stranger sees: results above the floor. Neither ledger nor steering, nobody's name.
PARTS = ("headline", "allocation", "guards", "tables", "breakdown")


@never_cache
@require_safe
def shared(request: HttpRequest, secret: str) -> HttpResponse:
    link = sharing.opened_by(secret, now=timezone.now())
    if link is None:
        return _private(render(request, "campaigns/shared_gone.html", status=404))
    found = found_of(link.shown, whole=False)
    context: dict[str, Any] = {"run": link.run, **found["context"], **analysis_context(link.shown)}
    page = render(
        request,
        "campaigns/shared_report.html",
        {
            "title": link.title,
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
def share_run(request: HttpRequest, campaign_id: int, number: int) -> HttpResponse:
    return _share(request, get_object_or_404(Run, campaign=campaign_id, number=number))


@require_POST
@staff_page("campaigns.add_reportlink")
def share_experiment(request: HttpRequest, key: str) -> HttpResponse:
    return _share(request, sharing.report_of(get_object_or_404(Experiment, key=key)))


@require_POST
@staff_page("campaigns.change_reportlink")
def take_back(request: HttpRequest, link_id: int) -> HttpResponse:
    link = get_object_or_404(ReportLink.objects.select_related("run", "experiment"), pk=link_id)
    sharing.take_back(link, actor=actor_name(request))
    messages.success(request, _("Taken back. The address opens nothing any more."))
    return redirect(_page(link.run or link.shown))


def _share(request: HttpRequest, shown: Run | Experiment) -> HttpResponse:
    days = request.POST.get("days", "")
    try:
        _link, address = sharing.share(
            shown, actor=actor_name(request), user=cast(User, request.user),
            days=int(days) if days.isdecimal() else 0, note=request.POST.get("note", ""),
        )  # fmt: skip
    except ProblemError as error:
        messages.error(request, error.detail)
    else:
        text = _("Copy the address now, it is shown only this once: %(address)s")
        messages.success(request, text % {"address": address})
    return redirect(_page(shown))


def _page(shown: Run | Experiment) -> str:
    if isinstance(shown, Run):
        return f"{reverse('campaigns:report', args=[shown.campaign_id])}?run={shown.number}#share"
    return f"{reverse('experiments:report', args=[shown.key])}#share"
