"""Pages for the people we write to: confirm a subscription, choose what to get. No cookies, no log-in.

The signed address is the authority, and no cookie adds to it: a forged request has nothing to borrow. GET
changes nothing, because scanners of mail open every link.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from personalization.privacy import links, opt_in
from personalization.privacy.preferences import choices_of, save_choices
from personalization.privacy.topics import page_language, topic_name


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_opt_in(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button; only POST confirms."""
    found = opt_in.find_opt_in(token)
    if found is None:
        return _page(request, "not_found.html", status=404)
    if request.method == "POST":
        opt_in.confirm(found, origin_address=_address(request))
    is_confirmed = request.method == "POST" or found.confirmed_at is not None
    stands = is_confirmed and opt_in.stands(found)
    with translation.override(_language(request, found.customer.language)):
        context = {
            "done": stands,
            "used": is_confirmed and not stands,
            "topic": topic_name(found.topic),
            "wording": found.wording,
            "preferences_url": links.preferences_url(found.customer),
        }
        return _page(request, "confirm.html", context, language=found.customer.language)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """One page for every topic and channel. A link that is wrong and one that is outdated look the same."""
    customer = links.read_preferences(token)
    if customer is None:
        return _page(request, "not_found.html", status=404)
    with translation.override(_language(request, customer.language)):
        saved = request.method == "POST"
        if saved:
            ticked = set() if request.POST.get("everything") == "stop" else set(request.POST.getlist("allow"))
            save_choices(customer, ticked, origin_address=_address(request))
        context = {"topics": choices_of(customer), "saved": saved}
        return _page(request, "preferences.html", context, language=customer.language)


def _address(request: HttpRequest) -> str:
    """Of the reader; behind a proxy of ours, what that proxy saw."""
    if settings.SECURE_PROXY_SSL_HEADER:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def _language(request: HttpRequest, language: str) -> str:
    """What the reader chose on the page, else the profile's, else the browser's."""
    return page_language(request.GET.get("lang") or language or request.headers.get("Accept-Language", ""))


def _page(
    request: HttpRequest, name: str, context: Mapping[str, Any] | None = None, *, status: int = 200,
    language: str = "",
) -> HttpResponse:  # fmt: skip
    with translation.override(_language(request, language)):
        response = render(request, f"privacy/{name}", context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
