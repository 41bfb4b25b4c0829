"""Staff pages of webhooks: the endpoints, one with its log, and sending again."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from campaigns.errors import InvalidWebhook
from campaigns.models import TellingStatus, WebhookEndpoint
from campaigns.transport.http import in_words
from campaigns.webhooks import selectors, services, trying
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page

PER_PAGE = 50


@staff_page("campaigns.view_webhookendpoint")
def endpoint_list(request: HttpRequest) -> HttpResponse:
    counted = WebhookEndpoint.objects.annotate(
        waiting=Count("tellings", filter=Q(tellings__status=TellingStatus.WAITING)),
        failed=Count("tellings", filter=Q(tellings__status=TellingStatus.FAILED)),
    )
    context = {"endpoints": counted, "can_add": request.user.has_perm("campaigns.add_webhookendpoint")}
    return render_page(request, "campaigns/webhooks.html", context, title=_("Webhooks"))


@staff_page("campaigns.view_webhookendpoint")
def endpoint(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The form, and for one that exists its log. A new secret is shown once."""
    row = get_object_or_404(WebhookEndpoint, pk=pk) if pk else None
    may = request.user.has_perm(
        "campaigns.change_webhookendpoint" if row else "campaigns.add_webhookendpoint"
    )
    errors: dict[str, str] = {}
    if request.method == "POST":
        if not may:
            return HttpResponse(status=403)
        try:
            saved = services.save_endpoint(row, **_given(request), actor=actor_name(request))
        except InvalidWebhook as error:
            errors = {one["pointer"].strip("/"): one["detail"] for one in error.errors}
        else:
            if row is None:
                messages.success(
                    request, _("The secret, shown only now: %(secret)s") % {"secret": saved.secret}
                )
            return redirect("webhooks:endpoint", saved.pk)
    form: dict[str, Any] = _given(request) if errors else {
        "name": row.name if row else "", "url": row.url if row else "",
        "events": row.events if row else [], "is_active": row is None or row.is_active,
    }  # fmt: skip
    context = {
        "endpoint": row, "problem": in_words(row.problem) if row else "", "errors": errors, "can_save": may,
        "statuses": TellingStatus.choices,
        "form": form, "events": "\n".join(form["events"]),
        "status": request.GET.get("status", ""),
        **(_log(request, row) if row else {}),
    }  # fmt: skip
    title = row.name if row else _("New webhook")
    return render_page(request, "campaigns/webhook.html", context, title=title, status=422 if errors else 200)


def _given(request: HttpRequest) -> dict[str, Any]:
    return {
        "name": request.POST.get("name", ""),
        "url": request.POST.get("url", "").strip(),
        "events": request.POST.get("events", "").replace(",", "\n").splitlines(),
        "is_active": "is_active" in request.POST,
    }


def _log(request: HttpRequest, row: WebhookEndpoint) -> dict[str, Any]:
    wanted = request.GET.get("status", "")
    rows = selectors.log_of(row, status=wanted if wanted in TellingStatus.values else "")
    page = Paginator(rows.order_by("-created_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    return {"page_obj": page, "calls": [(one, in_words(one.detail)) for one in page]}


@require_POST
@staff_page("campaigns.change_webhookendpoint")
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    secret = services.rotate_secret(get_object_or_404(WebhookEndpoint, pk=pk), actor=actor_name(request))
    messages.success(request, _("The secret, shown only now: %(secret)s") % {"secret": secret})
    return redirect("webhooks:endpoint", pk)


@require_POST
@staff_page("campaigns.change_webhookendpoint")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """One call (`telling`) or all failed ones."""
    row, one = get_object_or_404(WebhookEndpoint, pk=pk), request.POST.get("telling", "")
    if one and not one.isdecimal():
        raise Http404
    count = services.tell_again(row, telling=int(one) if one else None, actor=actor_name(request))
    text = ngettext("%(n)s call will be sent again.", "%(n)s calls will be sent again.", count)
    messages.success(request, text % {"n": count})
    if count and not row.is_active:
        messages.warning(request, _("This webhook is switched off: they wait until it is active again."))
    return redirect("webhooks:endpoint", pk)


@require_POST
@staff_page("campaigns.change_webhookendpoint")
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """The test console: what was sent, what came back."""
    row = get_object_or_404(WebhookEndpoint, pk=pk)
    event = request.POST.get("event", "").strip()[:200] or "Message Clicked"
    trial = trying.try_endpoint(row, event=event, actor=actor_name(request))
    return render_page(
        request, "campaigns/webhook_test.html", {"endpoint": row, "trial": trial}, title=row.name
    )


@require_POST
@staff_page("campaigns.delete_webhookendpoint")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    services.delete_endpoint(get_object_or_404(WebhookEndpoint, pk=pk), actor=actor_name(request))
    return redirect("webhooks:list")
