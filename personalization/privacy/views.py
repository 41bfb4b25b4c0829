"""Pages for staff: requests of people, their export and their erasure."""

import json
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers.models import Customer
from personalization.privacy import requests, tasks
from personalization.privacy.declared import declared, rows_of
from personalization.privacy.export import export_zip
from personalization.privacy.models import PrivacyRequest
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
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The certificate with its hash, for the person or the authority that asks for it."""
    found = get_object_or_404(PrivacyRequest, pk=pk, certificate__isnull=False)
    document = {"certificate": found.certificate, "sha256": found.certificate_sha256}
    response = HttpResponse(
        json.dumps(document, ensure_ascii=False, indent=1), content_type="application/json"
    )
    response["Content-Disposition"] = f'attachment; filename="erasure-{pk}.json"'
    return response


@require_POST
@staff_page("privacy.add_privacyrequest")
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """The person's data as a file, noted as a request that was answered."""
    customer = get_object_or_404(Customer, pk=pk, erased_at=None)
    content = export_zip(customer)
    requests.note_export(customer, actor=actor_name(request))
    return zip_response(content, customer)


def zip_response(content: bytes, customer: Customer) -> HttpResponse:
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="customer-{customer.pk}.zip"'
    response["Cache-Control"] = "no-store"
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
