"""Where providers tell what became of messages. Mounted at /hooks/: no log-in, signatures instead."""

import hmac

import structlog
from anymail.exceptions import AnymailError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.feedback import sms, whatsapp
from campaigns.feedback.providers import NotAccepted, read_events, take_event
from campaigns.feedback.sns import CannotCheck
from campaigns.models import SenderAccount
from campaigns.transport.smtp import redact
from personalization.access.problems import problem_response

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
        return _refused()
    try:
        events = read_events(row, request)
    except NotAccepted as error:
        log.warning("provider_call_refused", account=account, reason=redact(str(error))[:200])
        if error.wants_login:
            answer = _refused(401)
            answer["WWW-Authenticate"] = 'Basic realm="webhooks"'
            return answer
        return _refused()
    except CannotCheck as error:
        log.error("provider_call_not_checked", account=account, reason=str(error))
        return _not_taken()
    except (ValueError, LookupError, AttributeError, TypeError, AnymailError):
        return _unreadable()
    try:
        for event in events:
            take_event(row, event)
    except DatabaseError as error:
        log.error("provider_event_not_taken", account=account, error=type(error).__name__)
        return _not_taken()
    return HttpResponse()


@csrf_exempt
@require_http_methods(["POST"])
def sms_status(request: HttpRequest, number: str) -> HttpResponse:
    """What became of an SMS; signed by the account's token."""
    return HttpResponse(status=204) if sms.take_status(request, number) else _refused()


@csrf_exempt
@require_http_methods(["POST"])
def sms_inbound(request: HttpRequest, account: int) -> HttpResponse:
    """An SMS to us: STOP and its kind end all messages to that number; anything else is a reply."""
    if not sms.take_inbound(request, account):
        return _refused()
    return HttpResponse("<Response/>", content_type="text/xml")


@csrf_exempt
@require_http_methods(["GET", "POST"])
def whatsapp_calls(request: HttpRequest, account: int) -> HttpResponse:
    """States of messages and answers to them, signed with the app's secret. GET: the provider asks whether we
    are who was named to it, once."""
    row = SenderAccount.objects.filter(pk=account, channel="whatsapp").first()
    if row is None:
        return _refused()
    if request.method == "GET":
        given = request.GET.get("hub.verify_token", "")
        if not hmac.compare_digest(given.encode(), whatsapp.verify_token(row).encode()):
            return _refused()
        return HttpResponse(request.GET.get("hub.challenge", "")[:200], content_type="text/plain")
    if not whatsapp.is_signed(request, row):
        return _refused()
    try:
        whatsapp.take_call(request.body)
    except ValueError:
        return _unreadable()
    except DatabaseError as error:
        log.error("provider_event_not_taken", account=account, error=type(error).__name__)
        return _not_taken()
    return HttpResponse()


def _refused(status: int = 403) -> HttpResponse:
    # The same whether the account is not there or signs otherwise: nobody learns which accounts there are.
    detail = _("Compare address and secrets with those of the sender, under Senders.")
    return problem_response(status=status, title=_("Not signed by the provider"), detail=detail)


def _unreadable() -> HttpResponse:
    return problem_response(status=400, title=_("The call cannot be read"))


def _not_taken() -> HttpResponse:
    return problem_response(status=503, title=_("Not taken: call again"))
