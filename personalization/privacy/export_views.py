"""Everything about one person, for staff: asked for, watched, fetched."""

from contextlib import suppress
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from personalization.access.jobs.row import UNDER_WAY
from personalization.access.jobs.shown import jobs_part, posted_job
from personalization.access.jobs.work import NotUnderWay, cancel_job
from personalization.access.live.part import live_rows
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers.models import Customer
from personalization.privacy.export_api import answer_file, ask_and_hand_over
from personalization.privacy.kept_exports import kept_exports
from personalization.privacy.models import PersonExport

MAY = "privacy.add_privacyrequest"


@require_http_methods(["GET", "POST"])
@staff_page(MAY)
def export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """GET shows those of a day; POST asks for one, or cancels it."""
    customer = get_object_or_404(Customer, pk=pk, erased_at=None)
    if request.method == "POST":
        actor = actor_name(request)
        if request.POST.get("action") == "cancel":
            with suppress(NotUnderWay):  # it is shown as it ended
                cancel_job(
                    posted_job(request, customer.person_exports.all()), kind="person_export", actor=actor
                )
        else:
            ask_and_hand_over(customer, actor=actor)
        return redirect("privacy:export", pk)
    ended = kept_exports(customer).exclude(status__in=UNDER_WAY)
    context = {"customer": customer, "exports": ended, **_part(customer, list(_under_way(customer)))}
    return render_page(request, "privacy/export.html", context, title=_("Export all data"))


@require_GET
@staff_page(MAY)
def live(request: HttpRequest, pk: int) -> HttpResponseBase:
    customer = get_object_or_404(Customer, pk=pk, erased_at=None)
    return live_rows(
        request, _under_way(customer), key=pk, template="shell/jobs_live.html",
        context=lambda rows: _part(customer, rows),
    )  # fmt: skip


@require_GET
@staff_page(MAY)
def download(request: HttpRequest, pk: int, export_id: int) -> FileResponse:
    """The person's data as a file, noted as a request that was answered."""
    return answer_file(request, get_object_or_404(PersonExport, pk=export_id, customer=pk), page="export")


def _under_way(customer: Customer) -> QuerySet[PersonExport]:
    return customer.person_exports.filter(status__in=UNDER_WAY).order_by("pk")


def _part(customer: Customer, rows: list[PersonExport]) -> dict[str, Any]:
    return jobs_part(
        rows, [_("Export all data")] * len(rows),
        live=reverse("privacy:export-live", args=[customer.pk]),
        act=reverse("privacy:export", args=[customer.pk]), may_cancel=True,
    )  # fmt: skip
