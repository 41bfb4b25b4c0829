"""Staff pages of accounts with providers."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns import channels
from campaigns.errors import InvalidAccount
from campaigns.models import SenderAccount
from campaigns.pacing.rates import RateError
from campaigns.pacing.words import describe_pace, sentence_of
from campaigns.senders import accounts
from campaigns.senders.domain_check import check_domain
from campaigns.senders.speed_form import read_speed, shown_speed, warm_ups
from campaigns.transport import breaker
from campaigns.transport.accounts import breaker_key
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers.models import Channel


@staff_page("campaigns.view_senderaccount")
def account_list(request: HttpRequest) -> HttpResponse:
    rows = [
        {"account": row, "state": breaker.state(breaker_key(row)), "pace": describe_pace(row.pace)}
        for row in SenderAccount.objects.all()
    ]
    context = {
        "rows": rows,
        "channels": [(name, Channel(name).label) for name in channels.names()],
        "can_add": request.user.has_perm("campaigns.add_senderaccount"),
    }
    return render_page(request, "campaigns/accounts.html", context, title=_("Senders"))


@staff_page("campaigns.view_senderaccount")
def account(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The form of a new account (`?channel=`) or of one that exists; POST saves it."""
    row = get_object_or_404(SenderAccount, pk=pk) if pk else None
    channel = row.channel if row else request.GET.get("channel", "email")
    if channel not in channels.names():
        raise Http404
    may = request.user.has_perm("campaigns.change_senderaccount" if row else "campaigns.add_senderaccount")
    errors: dict[str, str] = {}
    detail = ""
    if request.method == "POST":
        if not may:
            return HttpResponse(status=403)
        saved, errors, detail = _save(request, row, channel)
        if saved is not None:
            return redirect("campaigns:account", saved.pk)
    return render_page(
        request,
        "campaigns/account.html",
        {
            "account": row,
            "channel": channel,
            "channel_name": Channel(channel).label,
            "fields": _fields(request, channel, row, errors),
            "errors": errors,
            "detail": detail,
            "facts": accounts.facts_of(row) if row else [],
            "can_save": may,
            "name": request.POST.get("name", row.name if row else ""),
            "speed": shown_speed(request, row),
            "warm_ups": warm_ups(row) if row else [],
            "position": request.POST.get("position", row.position if row else 0),
            "is_active": "is_active" in request.POST
            if request.method == "POST"
            else not row or row.is_active,
        },
        title=row.name if row else _("New sender"),
        status=422 if errors else 200,
    )


def _save(
    request: HttpRequest, row: SenderAccount | None, channel: str
) -> tuple[SenderAccount | None, dict[str, str], str]:
    """The account; or None, what is wrong by field, and a sentence about all of it."""
    try:
        given = {**_given(request, channel), **read_speed(request)}
        return accounts.save_account(row, channel=channel, **given, actor=actor_name(request)), {}, ""
    except InvalidAccount as error:
        errors = {one["pointer"].rpartition("/")[2]: one["detail"] for one in error.errors}
        return None, errors, error.detail
    except RateError as error:
        return None, {error.pointer: sentence_of(error)}, ""


def _given(request: HttpRequest, channel: str) -> dict[str, Any]:
    position = request.POST.get("position", "0")
    return {
        "name": request.POST.get("name", ""),
        "position": min(int(position), 1000) if position.isdecimal() else 0,
        "is_active": "is_active" in request.POST,
        "values": {f.name: request.POST.get(f"v_{f.name}", "") for f in channels.get(channel).account_fields},
    }


def _fields(
    request: HttpRequest, channel: str, row: SenderAccount | None, errors: dict[str, str]
) -> list[dict[str, Any]]:
    """Each field as it is shown: secrets are named, never shown."""
    kept = row.secret_values if row else {}
    shown = row.options if row else {}
    return [
        {
            "field": field,
            "value": request.POST.get(f"v_{field.name}", shown.get(field.name, field.default)),
            "is_kept": field.name in kept,
            "error": errors.get(field.name, ""),
        }
        for field in channels.get(channel).account_fields
    ]


@require_POST
@staff_page("campaigns.delete_senderaccount")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    accounts.delete_account(get_object_or_404(SenderAccount, pk=pk), actor=actor_name(request))
    return redirect("campaigns:accounts")


@staff_page("campaigns.view_senderaccount")
def domain(request: HttpRequest) -> HttpResponse:
    """What the DNS says about a domain that sends."""
    wanted = request.GET.get("domain", "").strip()[:253]
    context: dict[str, Any] = {"domain": wanted}
    if wanted:
        try:
            context["findings"] = check_domain(wanted)
        except ValueError:
            context["problem"] = _("This is no domain. Write it as in shop.example.")
    return render_page(request, "campaigns/domain.html", context, title=_("Check a sender's domain"))
