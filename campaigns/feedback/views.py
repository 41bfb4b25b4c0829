"""Where providers tell what became of messages. Mounted at /hooks/: no log-in, signatures instead."""

import hmac

import structlog
from anymail.exceptions import AnymailError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.feedback import sms, whatsapp
from campaigns.feedback.providers import NotAccepted, read_events, take_event
from campaigns.feedback.sns import CannotCheck
from campaigns.models import SenderAccount
from campaigns.transport.smtp import redact

log = structlog.get_logger(__name__)


# Providers call without a session; what they say is believed by its signature alone.
@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def email_events(request: HttpRequest, account: int) -> HttpResponse:
    """403 for what is not signed by the account's provider, 401 where it has yet to name a user; 503 asks for
    a repetition."""
    if request.method == "HEAD":
        return HttpResponse()
    row = SenderAccount.objects.filter(pk=account, channel="email", is_active=True).first()
    if row is None:
        return HttpResponse(status=403)
    try:
        events = read_events(row, request)
    except NotAccepted as error:
        log.warning("provider_call_refused", account=account, reason=redact(str(error))[:200])
        if error.wants_login:
            return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="webhooks"'})
        return HttpResponse(status=403)
    except CannotCheck as error:
        log.error("provider_call_not_checked", account=account, reason=str(error))
        return HttpResponse(status=503)
    except (ValueError, LookupError, AttributeError, TypeError, AnymailError):
        return HttpResponse("the call cannot be read", status=400, content_type="text/plain")
    try:
        for event in events:
            take_event(row, event)
    except DatabaseError as error:
        log.error("provider_event_not_taken", account=account, error=type(error).__name__)
        return HttpResponse(status=503)
    return HttpResponse()


@csrf_exempt
@require_http_methods(["POST"])
def sms_status(request: HttpRequest, number: str) -> HttpResponse:
    """What became of an SMS; signed by the account's token."""
    return HttpResponse(status=204 if sms.take_status(request, number) else 403)


@csrf_exempt
@require_http_methods(["POST"])
def sms_inbound(request: HttpRequest, account: int) -> HttpResponse:
    """An SMS to us: STOP and its kind end all messages to that number; anything else is a reply."""
    if not sms.take_inbound(request, account):
        return HttpResponse(status=403)
    return HttpResponse("<Response/>", content_type="text/xml")


@csrf_exempt
@require_http_methods(["GET", "POST"])
def whatsapp_calls(request: HttpRequest, account: int) -> HttpResponse:
    """States of messages and answers to them, signed with the app's secret. GET: the provider asks whether we
    are who was named to it, once."""
    row = SenderAccount.objects.filter(pk=account, channel="whatsapp").first()
    if row is None:
        return HttpResponse(status=403)
    if request.method == "GET":
        given = request.GET.get("hub.verify_token", "")
        if not hmac.compare_digest(given.encode(), whatsapp.verify_token(row).encode()):
            return HttpResponse(status=403)
        return HttpResponse(request.GET.get("hub.challenge", "")[:200], content_type="text/plain")
    if not whatsapp.is_signed(request, row):
        return HttpResponse(status=403)
    try:
        whatsapp.take_call(request.body)
    except ValueError:
        return HttpResponse("the call cannot be read", status=400, content_type="text/plain")
    except DatabaseError as error:
        log.error("provider_event_not_taken", account=account, error=type(error).__name__)
        return HttpResponse(status=503)
    return HttpResponse()
