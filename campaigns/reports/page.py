"""The report of a run: what happened, to whom, and what it earned. Refreshes itself while it is live."""

import csv
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns import selectors, services, tasks
from campaigns.editor.forms import read_json
from campaigns.editor.pages import answers_problems
from campaigns.models import Campaign, Delivery, Run, RunStatus
from campaigns.reports import sharing
from campaigns.reports.allocation import waves_of
from campaigns.reports.attribution import credits_context
from campaigns.reports.decision_document import decision_context
from campaigns.reports.found import analysis_context, found_of, wish
from campaigns.reports.group_form import group_form
from campaigns.reports.plan_form import plan_form
from campaigns.reports.progress import launcher_of, progress_context, progress_stream, reasons
from campaigns.reports.speed import read_speed
from campaigns.reports.tables import with_sent
from campaigns.reports.varied import told
from personalization.access.live.stream import wants_stream
from personalization.access.services import actor_name, audit
from personalization.access.shell import render_page, staff_page
from personalization.customers.pseudonyms import pseudonym
from personalization.customers.reading import may_see, note_read, show
from personalization.privacy.floor import is_reportable
from personalization.privacy.told import step_for

EVENTS_GO_ON = timedelta(days=15)
AT_ONCE = 2000
PARTS = (
    "headline", "decision", "allocation", "varied", "progress", "analysis", "guards", "tables", "breakdown",
    "attribution", "why",
)  # fmt: skip
ACTIONS: dict[str, Callable[..., object]] = {
    "pause": services.pause,
    "resume": services.resume,
    "cancel": services.cancel,
    "retry": services.retry_failed,
    "close": services.close,
}


@staff_page("campaigns.view_campaign")
def report(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    run = _run(request, campaign)
    if run is None:
        return redirect("campaigns:edit", campaign_id=campaign.pk)
    parts = report_parts(request, run)
    can_launch = request.user.has_perm("campaigns.launch_campaign")
    return render_page(
        request,
        "campaigns/report.html",
        {
            "campaign": campaign,
            "run": run,
            "runs": list(campaign.runs.order_by("-number")),
            "parts": parts["parts"],
            "page_data": {
                "charts": parts["charts"],
                "live": parts["live"],
                "streams": parts["streams"],
                "dataUrl": f"{reverse('campaigns:report-data', args=[campaign.pk])}?run={run.number}",
                "texts": chart_texts(),
            },
            "experiment": run.experiment,
            "can_change_rate": can_launch and run.status in (RunStatus.SENDING, RunStatus.PAUSED),
            "plan_url": reverse("campaigns:change-plan", args=[campaign.pk, run.number]),
            "group_form": group_form(run.experiment) if can_launch else None,
            "tests": _tests(request, run),
            "plan_form": plan_form(run.experiment) if can_launch else None,
            **sharing.share_context(run),
            "can_see_customers": request.user.has_perm("customers.view_customer"),
        },
        title=campaign.name,
    )


def _tests(request: HttpRequest, run: Run) -> list[Delivery]:
    found = selectors.newest_tests(run)
    shown = {
        one.pk: one for one in show(request, {one.customer for one in found if one.customer}, page="report")
    }
    for one in found:
        one.customer = shown.get(one.customer_id or 0)
    return found


@staff_page("campaigns.view_campaign")
def data(request: HttpRequest, campaign_id: int) -> HttpResponseBase:
    """The parts of the page that change, as HTML, and the numbers of its plots; the progress alone, as it
    goes on, for whoever asks for a stream."""
    run = _run(request, get_object_or_404(Campaign, pk=campaign_id))
    if run is None:
        raise Http404
    if wants_stream(request):
        return progress_stream(request, run)
    return JsonResponse(report_parts(request, run))


def _run(request: HttpRequest, campaign: Campaign) -> Run | None:
    wanted = request.GET.get("run", "")
    if wanted.isdigit():
        return get_object_or_404(campaign.runs.select_related("experiment"), number=int(wanted))
    return campaign.runs.select_related("experiment").order_by("-number").first()


def report_parts(request: HttpRequest, run: Run) -> dict[str, Any]:
    whole = may_see(request)
    progress = selectors.told_progress(selectors.recent_progress(run), whole=whole)
    wish(run.experiment)
    found, analysis = found_of(run.experiment, whole=whole), analysis_context(run.experiment)
    is_withheld = found["context"].get("is_withheld")
    credited = credits_context(run, whole=whole)
    is_counting = progress["is_counting"] or credited["credits"] is None
    context = {
        "reasons": reasons(progress),
        "why_total": progress["skipped"] + progress["failed"] + progress["unknown"],
        **progress_context(
            run,
            progress,
            launcher=launcher_of(run),
            speed=read_speed(run) if whole else None,
            can_steer=request.user.has_perm("campaigns.launch_campaign"),
            fewer_than=step_for(request),
        ),
        **found["context"],
        **analysis,
        "waves": waves_of(run) if whole else [],
        "varied": told(run, whole=whole),
        **credited,
        **({"decision": None} if is_withheld else decision_context(run)),
    }
    return {
        "parts": {
            name: render_to_string(f"campaigns/report_{name}.html", context, request) for name in PARTS
        },
        "charts": with_sent(found["charts"], progress),
        "live": 1 if is_counting or analysis["analysis"].is_under_way else _pace(run),
        "streams": "progress" if run.status in (RunStatus.SENDING, RunStatus.PAUSED) else "",
    }


def _pace(run: Run) -> int:
    """Seconds until the page asks again; 0 when nothing will change any more."""
    if run.status == RunStatus.SENDING:
        return 2
    return 10 if timezone.now() - run.launched_at < EVENTS_GO_ON else 0


def chart_texts() -> dict[str, str]:
    return {
        "sent": _("Sent"),
        "opened": _("Opened"),
        "clicked": _("Clicked"),
        "bought": _("Bought"),
        "day": _("Day %(n)s"),
        "change": _("Change against the baseline"),
        "perCustomer": _("Change per customer"),
        "points": _("Change in percentage points"),
        "share": _("of those sent"),
        "picture": _("Picture (PNG)"),
        "drawn": _("Drawn"),
        "best": _("Chance to be the best"),
        "asDrawn": _("As drawn"),
        "even": _("Equal shares"),
        "value": _("Per customer"),
        "ofCustomers": _("of customers"),
    }


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def steer(request: HttpRequest, campaign_id: int, number: int, action: str) -> HttpResponse:
    """Pause, resume, cancel or retry the failed ones of a run."""
    if action not in ACTIONS:
        raise Http404
    run = get_object_or_404(Run.objects.select_related("experiment"), campaign=campaign_id, number=number)
    ACTIONS[action](run, actor=actor_name(request))
    run.refresh_from_db()
    return JsonResponse(report_parts(request, run))


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def change_rate(request: HttpRequest, campaign_id: int, number: int) -> HttpResponse:
    """Sends a run slower or faster from now on."""
    run = get_object_or_404(Run.objects.select_related("experiment"), campaign=campaign_id, number=number)
    services.change_rate(run, per_second=read_json(request).get("per_second"), actor=actor_name(request))
    tasks.wake()
    return JsonResponse(report_parts(request, run))


@staff_page("campaigns.view_campaign")
def audience_csv(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Everyone considered and what became of them; needs the right to see customers, and is audited.

    Who may not see personal data gets pseudonyms, the same ones in every export, and no small audience.
    """
    if not request.user.has_perm("customers.view_customer"):
        raise PermissionDenied
    run = _run(request, get_object_or_404(Campaign, pk=campaign_id))
    if run is None:
        raise Http404
    if not may_see(request) and not is_reportable(run.audience_size):
        raise PermissionDenied(_("The audience is too small for who may not see personal data."))
    audit(actor_name(request), "audience.exported", f"run:{run.pk}", customers=run.audience_size)
    response: Any = StreamingHttpResponse(
        _csv_lines(request, run, named=may_see(request)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="audience-{campaign_id}-{run.number}.csv"'
    return response


class _Echo:
    def write(self, value: str) -> str:
        return value


def _csv_lines(request: HttpRequest, run: Run, *, named: bool) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # so that spreadsheets read it as UTF-8
    yield writer.writerow(
        ["customer", "email", "variant", "status", "reason", "detail", "attempts", "sent_at"]
    )
    rows = selectors.deliveries(run).order_by("pk").values_list(
        "customer__external_id", "customer__email", "variant__key", "status", "reason", "detail", "attempts",
        "sent_at", "customer_id",
    )  # fmt: skip
    read: list[int] = []
    try:
        for row in rows.iterator(chunk_size=AT_ONCE):
            *texts, attempts, sent_at, customer_id = row
            if named and customer_id:
                read.append(customer_id)
            if len(read) == AT_ONCE:
                note_read(request, read, page="audience")
                read = []
            if not named:
                # What a server answered may repeat the address.
                texts = [pseudonym(customer_id) if customer_id else "", "", *texts[2:-1], ""]
            yield writer.writerow([*map(harmless, texts), attempts, sent_at.isoformat() if sent_at else ""])
    finally:  # also of a download that was broken off
        note_read(request, read, page="audience")


def harmless(value: object) -> str:
    """A cell that a spreadsheet will not run as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r", "\n") else text
