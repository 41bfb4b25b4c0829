"""The addresses that stand in messages: open pixel, click, unsubscribe. No cookies, no log-in."""

import base64
import hashlib

import structlog
from django.core.cache import cache
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from campaigns.items.picks import ui_language
from campaigns.tracking import links, short
from campaigns.tracking import services as tracking
from campaigns.tracking.links import Link
from campaigns.tracking.services import Visit
from personalization.content.countdown import draw_countdown, read_countdown
from personalization.content.drawing import draw
from personalization.content.worded_picture import WordedPicture, read_worded_picture
from personalization.privacy.links import preferences_url
from personalization.privacy.topics import topic_name

log = structlog.get_logger(__name__)
KEPT_SECONDS = 86_400
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class _WebRedirect(HttpResponseRedirect):
    allowed_schemes = ["http", "https"]


def _visit(request: HttpRequest) -> Visit:
    agent = request.headers.get("User-Agent", "")[:500]
    return Visit(device=tracking.device_of(agent), is_head=request.method == "HEAD", agent=agent)


@never_cache
@require_safe
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """Always the picture: a broken image would tell the reader that something is watched."""
    link = links.read(links.OPEN, token)
    if link is not None:
        try:
            tracking.record_open(link, _visit(request))
        except DatabaseError as error:
            log.error("open_not_recorded", delivery=link.delivery_id, error=type(error).__name__)
    return HttpResponse(PIXEL, content_type="image/gif")


@never_cache
@require_safe
def countdown(request: HttpRequest, token: str) -> HttpResponse:
    """The time that is left, as of this moment: kept by nobody on the way."""
    found = read_countdown(token)
    if found is None:
        raise Http404
    seconds = found.ends_at - int(timezone.now().timestamp())
    return HttpResponse(
        draw_countdown(max(0, seconds), found.color, found.background), content_type="image/gif"
    )


@require_safe
def worded_picture(request: HttpRequest, token: str, kind: str) -> HttpResponse:
    """The same for everybody who has the address: kept, unless it counts down."""
    found = read_worded_picture(token)
    if found is None or kind != ("jpg" if found.image else "png"):
        raise Http404
    response = HttpResponse(_drawn(found, token), content_type="image/jpeg" if found.image else "image/png")
    response["Cache-Control"] = "no-store" if found.ends_at else f"public, max-age={KEPT_SECONDS}"
    return response


def _drawn(picture: WordedPicture, token: str) -> bytes:
    now = int(timezone.now().timestamp())
    # Of a countdown many openings in the same second share one drawing.
    key = f"worded:{hashlib.sha256(token.encode()).hexdigest()}:{now if picture.ends_at else 0}"
    drawn = cache.get(key)
    if drawn is None:
        drawn = draw(picture, now=now)
        cache.set(key, drawn, 2 if picture.ends_at else KEPT_SECONDS)
    return bytes(drawn)


@never_cache
@require_safe
def trap(request: HttpRequest, token: str) -> HttpResponse:
    """The link that no reader sees: whoever follows it is a machine. It leads nowhere."""
    link = links.read(links.TRAP, token)
    if link is not None:
        try:
            tracking.record_trap(link)
        except DatabaseError as error:
            log.error("trap_not_recorded", delivery=link.delivery_id, error=type(error).__name__)
    return HttpResponse(status=204)


@never_cache
@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """On to the address inside of the token; a token that is not ours leads nowhere."""
    return _lead_on(request, links.read(links.CLICK, token))


@never_cache
@require_safe
def short_click(request: HttpRequest, token: str) -> HttpResponse:
    """The same for the links of texts, whose address stands in a row."""
    return _lead_on(request, short.read(token))


def _lead_on(request: HttpRequest, link: Link | None) -> HttpResponse:
    if link is None or not link.url.startswith(("http://", "https://")):
        return _not_found(request)
    try:
        tracking.record_click(link, _visit(request))
    except DatabaseError as error:
        # The reader wants the page; a count less is the smaller harm.
        log.error("click_not_recorded", delivery=link.delivery_id, error=type(error).__name__)
    response = _WebRedirect(link.url)
    response["Referrer-Policy"] = "no-referrer"
    return response


# The signed address is the authority, and no cookie adds to it: a forged request has nothing to borrow.
# Mail programs post here by themselves (RFC 8058) and cannot carry a CSRF token.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks and changes nothing (scanners follow links); POST unsubscribes."""
    link = links.read(links.UNSUBSCRIBE, token)
    if link is None:
        return _not_found(request)
    delivery = tracking.find_delivery(link)
    language = delivery.customer.language if delivery and delivery.customer else ""
    done = False
    if request.method == "POST":
        tracking.unsubscribe(link, _visit(request), everything=request.POST.get("scope") == "all")
        done = True
    context = {
        "done": done,
        "everything": request.POST.get("scope") == "all",
        "sender": delivery.run.content["sender_name"] if delivery else "",
        "preferences_url": preferences_url(delivery.customer) if delivery and delivery.customer else "",
    }
    with translation.override(ui_language(language)):
        context["topic"] = topic_name(delivery.run.content["topic"]) if delivery else ""
        response = render(request, "tracking/unsubscribe.html", context)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _not_found(request: HttpRequest) -> HttpResponse:
    wanted = request.headers.get("Accept-Language", "")
    with translation.override(ui_language(wanted)):
        return render(request, "tracking/not_found.html", status=404)
