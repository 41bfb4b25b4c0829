"""Callbacks of the WhatsApp Cloud API: states of messages, and what people write back.

Signed with the app's secret over the body (X-Hub-Signature-256). A state names its message by the number that
we gave with it (`biz_opaque_callback_data`).
"""

import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from campaigns.feedback import handling
from campaigns.feedback.classify import SOFT, Failure
from campaigns.feedback.inbound import take_text
from campaigns.models import DeliveryStatus, SenderAccount

OPTED_OUT = 131050  # the person said no to the provider


def verify_token(account: SenderAccount) -> str:
    """What the provider is told with our address, and shows when it first calls there."""
    raw = f"bespoke whatsapp: {account.pk}".encode()
    return hmac.digest(settings.LINK_KEY.encode(), raw, "sha256").hex()[:32]


def is_signed(request: HttpRequest, account: SenderAccount) -> bool:
    secret = account.values.get("app_secret", "")
    wanted = "sha256=" + hmac.digest(secret.encode(), request.body, "sha256").hex()
    return bool(secret) and hmac.compare_digest(wanted, request.headers.get("X-Hub-Signature-256", ""))


def take_call(body: bytes) -> None:
    """Raises ValueError for what is no such call."""
    try:
        call = msgspec.json.decode(body, type=dict[str, Any])
        changes = [change["value"] for entry in call["entry"] for change in entry["changes"]]
        for value in changes:
            for status in value.get("statuses") or ():
                _take_status(status)
            for phone, text, key, at in _texts(value.get("messages") or ()):
                take_text(channel="whatsapp", phone=phone, text=text, key=key, at=at)
    except (msgspec.MsgspecError, LookupError, TypeError, AttributeError) as error:
        raise ValueError("no call of the Cloud API") from error


def _take_status(status: Mapping[str, Any]) -> None:
    number = str(status.get("biz_opaque_callback_data") or "")
    delivery, at = handling.find_delivery(number), _at(status)
    if delivery is None:
        return
    match status["status"]:
        case "sent":
            handling.resolve(delivery, DeliveryStatus.SENT, at=at)
        case "delivered":
            handling.take_delivered(delivery, at=at)
        case "read":
            handling.take_delivered(delivery, at=at)
            handling.record(delivery, "Message Opened", "read", at=at)
        case "failed":
            codes = [int(error["code"]) for error in status.get("errors") or ()]
            failure = Failure("", SOFT, "", f"failed {codes[0] if codes else ''}".strip())
            handling.take_bounce(delivery, failure, key=f"whatsapp:{number}", at=at)
            if OPTED_OUT in codes:
                handling.take_unsubscribe(delivery, at=at)


def _texts(messages: Any) -> Iterator[tuple[str, str, str, datetime]]:
    """Phone, text (of a button what stands on it), id and time."""
    for message in messages:
        part = message.get("text") or message.get("button") or {}
        text = str(part.get("body") or part.get("text") or "")
        yield f"+{message['from']}", text, f"whatsapp:{message['id']}"[:80], _at(message)


def _at(given: Mapping[str, Any]) -> datetime:
    """A clock that runs ahead is not believed."""
    try:
        return min(datetime.fromtimestamp(int(given["timestamp"]), UTC), timezone.now())
    except (KeyError, OverflowError, OSError):
        return timezone.now()
