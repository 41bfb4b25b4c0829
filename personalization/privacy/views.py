"""Pages for staff: requests of people, their export and their erasure."""

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from personalization.access.live.part import live_part
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers.models import Customer
from personalization.privacy import requests, retention, tasks
from personalization.privacy.declared import declared, rows_of
from personalization.privacy.models import PrivacyRequest, RetentionRule
from personalization.privacy.person import describe

SHOWN = 200


@require_http_methods(["GET", "POST"])
@staff_page("privacy.view_privacyrequest")
def request_list(request: HttpRequest) -> HttpResponse:
    """The newest requests; a search goes by POST, so that no address stands in a URL or a log."""
    text = request.POST.get("text", "").strip()
    found = requests.find_requests(text) if text else list(PrivacyRequest.objects.all()[:SHOWN])
    context = {"requests": found, "searched": bool(text)}
    return render_page(request, "privacy/requests.html", context, title=_("Privacy requests"))


@require_GET
@staff_page("privacy.view_privacyrequest")
def request_detail(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(PrivacyRequest, pk=pk)
    return render_page(request, "privacy/request.html", {"asked": found}, title=str(found))


@require_GET
@staff_page("privacy.view_privacyrequest")
def request_live(request: HttpRequest, pk: int) -> HttpResponseBase:
    return live_part(
        request,
        PrivacyRequest.objects.all(),
        pk,
        template="privacy/request_live.html",
        context=lambda found: {"asked": found},
        is_active=lambda found: found.is_active,
    )


@require_GET
@staff_page("privacy.view_privacyrequest")
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The certificate with its hash, for the person or the authority that asks for it."""
    found = get_object_or_404(PrivacyRequest, pk=pk, certificate__isnull=False)
    document = {"certificate": found.certificate, "sha256": found.certificate_sha256}
    response = HttpResponse(
        json.dumps(document, ensure_ascii=False, indent=1), content_type="application/json"
    )
    response["Content-Disposition"] = f'attachment; filename="erasure-{pk}.json"'
    return response


@require_http_methods(["GET", "POST"])
@staff_page("privacy.add_privacyrequest")
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    """GET tells what will be gone; POST asks for it, and a worker does it at once."""
    customer = get_object_or_404(Customer, pk=pk, erased_at=None)
    if request.method == "POST" and request.POST.get("sure") == "1":
        asked = requests.ask_erasure(pk, actor=actor_name(request))
        transaction.on_commit(lambda: tasks.carry_out.delay(asked.pk))
        messages.success(request, _("The erasure was asked for and is carried out now."))
        return redirect("privacy:request", asked.pk)
    context = {"customer": customer, "tables": _outlook(customer), "unsure": request.method == "POST"}
    return render_page(request, "privacy/erase.html", context, title=_("Erase this customer?"))


def _outlook(customer: Customer) -> list[dict[str, Any]]:
    ids = describe(customer).customer_ids
    rows = [
        {
            "name": model._meta.verbose_name_plural,
            "action": data.at_erasure.value,
            "count": rows_of(model, data, ids).count(),
        }
        for model, data in reversed(declared())
    ]
    return [row for row in rows if row["count"]]


KIND_NAMES = {
    "profile": gettext_lazy("Profiles"),
    "contact times": gettext_lazy("Times of contact"),
    "events": gettext_lazy("Events"),
    "journeys": gettext_lazy("Ways through journeys"),
    "messages": gettext_lazy("Messages"),
    "unconfirmed opt-ins": gettext_lazy("Opt-ins that nobody confirmed"),
    "audit log": gettext_lazy("Audit log"),
    "reads of personal data": gettext_lazy("Reads of personal data"),
}


@require_http_methods(["GET", "POST"])
@staff_page("privacy.view_retentionrule")
def retention_rules(request: HttpRequest) -> HttpResponse:
    """The rules with a dry run of each."""
    may_change = request.user.has_perm("privacy.change_retentionrule")
    problem = ""
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        problem = _save_rules(request)
        if not problem:
            messages.success(request, _("The rules were saved."))
            return redirect("privacy:retention")
    actions = {
        "delete": _("deleted"), "anonymize": _("kept for counts, leads to nobody"),
        "erasure": _("erased like on request, when nothing happened for so long"),
    }  # fmt: skip
    rows = [
        {
            "outlook": entry,
            "name": KIND_NAMES.get(entry.kind, entry.kind),
            "action": " / ".join(actions[part] for part in entry.action.split(" / ")),
        }
        for entry in retention.outlook()
    ]
    context = {"rows": rows, "may_change": may_change, "problem": problem}
    return render_page(request, "privacy/retention.html", context, title=_("Retention"))


def _save_rules(request: HttpRequest) -> str:
    """All or none; a sentence when a number is no number of days."""
    wanted = {}
    for kind in retention.kinds():
        days = request.POST.get(f"days:{kind}", "").strip()
        if days and not (days.isdecimal() and 1 <= int(days) <= 36500):
            return _("Days are whole numbers from 1 to 36,500, or nothing.")
        wanted[kind] = int(days) if days else None
    before = {rule.kind: (rule.days, rule.is_active) for rule in RetentionRule.objects.all()}
    with transaction.atomic():
        for kind, days_kept in wanted.items():
            active = f"active:{kind}" in request.POST and days_kept is not None
            if before.get(kind, (None, False)) != (days_kept, active):
                retention.save_rule(kind, days=days_kept, is_active=active, actor=actor_name(request))
    return ""
