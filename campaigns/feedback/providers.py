"""Events of e-mail providers, normalised and their signatures checked by django-anymail."""

import importlib
import inspect
import json
import re
from collections.abc import Mapping
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.signals import tracking as tracking_signal
from anymail.webhooks.base import AnymailBaseWebhookView
from botocore.exceptions import BotoCoreError, ClientError
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone

from campaigns.feedback import handling
from campaigns.feedback.classify import BLOCK, HARD, STATUS, Failure, classify
from campaigns.feedback.reports import NUMBER
from campaigns.feedback.sns import NotSigned, check_signature
from campaigns.models import Delivery, SenderAccount
from campaigns.tracking import services as tracking
from campaigns.tracking.links import Link
from campaigns.tracking.services import Visit
from campaigns.transport import amazon_ses
from campaigns.transport.mail_backend import taken_as
from personalization.customers.models import Customer

# Amazon SES and Resend, where they tell no answer of a server: the verdict stands in their words.
FINAL = re.compile(r"Permanent: (General|NoEmail)|sent a hard bounce message")


class NotAccepted(Exception):
    """The call is not the provider's, or this account takes none. `wants_login`: it named no user at all;
    some providers tell it only when they are asked."""

    def __init__(self, why: str, *, wants_login: bool = False) -> None:
        super().__init__(why)
        self.wants_login = wants_login


def read_events(account: SenderAccount, request: HttpRequest) -> list[AnymailTrackingEvent]:
    """The events of a provider's call. Raises NotAccepted without a valid signature; an account without
    secrets for its webhooks, or whose secrets check nothing, takes no calls at all. Raises AnymailError for
    a call that cannot be read, and CannotCheck where its signature cannot be looked at now."""
    values = account.values
    secrets: dict[str, Any] = json.loads(values.get("webhook_settings") or "{}")
    view = _view(values.get("backend", ""))
    if view is None or not secrets:
        raise NotAccepted("no webhooks for this account")
    try:
        call = view(**_keys_to_confirm_with(values), **secrets)
        if call.warn_if_no_basic_auth and not call.basic_auth:
            raise NotAccepted("the secrets name nothing that the calls could be checked by")
        if call.basic_auth and "Authorization" not in request.headers:
            raise NotAccepted("no user is named", wants_login=True)
        call.run_validators(request)
        if values["backend"] == amazon_ses.BACKEND:
            check_signature(request.body)
        return list(call.parse_events(request))
    except (AnymailWebhookValidationFailure, AnymailConfigurationError, NotSigned, TypeError) as error:
        raise NotAccepted(str(error)) from error
    except (BotoCoreError, ClientError) as error:
        raise NotAccepted(f"the subscription could not be confirmed: {error}") from error


def _keys_to_confirm_with(values: Mapping[str, str]) -> dict[str, Any]:
    """Amazon asks whether we want a topic's calls, and is answered by a call with the account's own key."""
    if values.get("backend") != amazon_ses.BACKEND:
        return {}
    return {"session_params": json.loads(values.get("settings") or "{}").get("session_params") or {}}


def _view(backend: str) -> type[AnymailBaseWebhookView] | None:
    name = backend.split(".")[-2] if backend.startswith("anymail.backends.") else ""
    if not name.isidentifier():
        return None
    try:
        module = importlib.import_module(f"anymail.webhooks.{name}")
    except ImportError:
        return None
    views = [
        cls
        for cls_name, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__ and issubclass(cls, AnymailBaseWebhookView)
        and (getattr(cls, "signal", None) is tracking_signal or "Combined" in cls_name)
    ]  # fmt: skip
    return views[0] if views else None


def take_event(account: SenderAccount, event: AnymailTrackingEvent) -> bool:
    """Whether the event was about a message of ours."""
    delivery = _delivery(event)
    if delivery is None:
        return False
    at = min(event.timestamp or timezone.now(), timezone.now())
    key = f"esp:{account.pk}:{event.event_id or f'{delivery.pk}:{event.event_type}:{at:%Y%m%d%H%M}'}"
    kind = event.event_type
    if kind == EventType.DELIVERED:
        handling.take_delivered(delivery, at=at)
    elif kind == EventType.BOUNCED:
        handling.take_bounce(delivery, failure_of(event), key=key, at=at)
    elif kind in (EventType.REJECTED, EventType.FAILED):
        handling.take_rejected(delivery, at=at, detail=f"{event.reject_reason or kind}")
        if event.reject_reason in (RejectReason.INVALID, RejectReason.BOUNCED):
            handling.take_bounce(delivery, failure_of(event), key=key, at=at)
    elif kind == EventType.COMPLAINED:
        handling.take_complaint(delivery, at=at)
    elif kind == EventType.AUTORESPONDED:
        handling.take_reply(delivery, key=key, at=at, is_automatic=True)
    elif kind in (EventType.OPENED, EventType.CLICKED, EventType.UNSUBSCRIBED):
        _take_visit(delivery, event, at)
    return True


def _take_visit(delivery: Delivery, event: AnymailTrackingEvent, at: Any) -> None:
    handling.resolve(delivery, "sent", at=at)
    agent = str(event.user_agent or "")
    link = Link(delivery.pk, int((delivery.sent_at or at).timestamp()), str(event.click_url or ""))
    visit = Visit(tracking.device_of(agent), at=at, agent=agent)
    if event.event_type == EventType.UNSUBSCRIBED:
        tracking.unsubscribe(link, visit)
    elif event.event_type == EventType.OPENED:
        tracking.record_open(link, visit)
    else:
        tracking.record_click(link, visit)


def _delivery(event: AnymailTrackingEvent) -> Delivery | None:
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    texts = [str(metadata.get("message_id", "")) + "@", str(event.message_id or "")]
    for number in [n for text in texts for n in NUMBER.findall(text)]:
        if delivery := handling.find_delivery(number):
            return delivery
    return _by_number_of_provider(event)


def _by_number_of_provider(event: AnymailTrackingEvent) -> Delivery | None:
    """For providers that carry nothing of ours: the number they took the message under, and to whom."""
    if not event.message_id or not event.recipient:
        return None
    people = Customer.objects.alias(address=Lower("email")).filter(address=str(event.recipient).lower())
    rows = Delivery.objects.select_related("run__experiment", "variant", "customer")
    return rows.filter(customer__in=people, detail=taken_as(str(event.message_id))).first()


def failure_of(event: AnymailTrackingEvent) -> Failure:
    """What a provider's bounce means: its own words first, its verdict where they say nothing."""
    said = f"{event.mta_response or ''} {event.description or ''}".strip()
    status = (STATUS.search(said) or [""])[0]
    if event.reject_reason == RejectReason.INVALID:
        kind = HARD
    elif event.reject_reason in (RejectReason.BLOCKED, RejectReason.SPAM):
        kind = BLOCK
    elif not said or (not event.mta_response and FINAL.search(said)):
        kind = HARD if event.reject_reason == RejectReason.BOUNCED else "soft"
    else:
        kind = classify(said, status=status)
    return Failure(str(event.recipient or ""), kind, status, said[:300])
