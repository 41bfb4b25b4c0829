"""Callbacks of a Twilio-compatible service. Signature: HMAC-SHA1 over the address called and the sorted form
fields, under the account's token (Twilio's "Validating requests")."""

import base64
import hashlib
import hmac

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from campaigns.feedback import handling
from campaigns.feedback.classify import HARD, SOFT, Failure
from campaigns.feedback.inbound import take_text
from campaigns.models import DeliveryStatus, SenderAccount

# Codes of numbers that will never take a message. 30003 is only a phone that is switched off.
GONE = {"30004", "30005", "30006", "21614"}
OPTED_OUT = "21610"  # the person wrote STOP to the provider


def is_signed(request: HttpRequest, account: SenderAccount) -> bool:
    text = settings.SITE_URL + request.get_full_path()
    text += "".join(f"{name}{request.POST[name]}" for name in sorted(request.POST))
    token = account.values.get("auth_token", "")
    wanted = base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()
    return bool(token) and hmac.compare_digest(wanted, request.headers.get("X-Twilio-Signature", ""))


def take_status(request: HttpRequest, number: str) -> bool:
    """False when no account of ours signed it."""
    if not any(is_signed(request, row) for row in SenderAccount.objects.filter(channel="sms")):
        return False
    delivery = handling.find_delivery(number)
    status, code, now = (
        request.POST.get("MessageStatus", ""),
        request.POST.get("ErrorCode", ""),
        timezone.now(),
    )
    if delivery is None:
        return True
    if status == "delivered":
        handling.take_delivered(delivery, at=now)
    elif status == "sent":
        handling.resolve(delivery, DeliveryStatus.SENT, at=now)
    elif status in ("undelivered", "failed") and code == OPTED_OUT:
        handling.take_unsubscribe(delivery, at=now)
    elif status in ("undelivered", "failed"):
        kind = HARD if code in GONE else SOFT
        failure = Failure("", kind, "", f"{status} {code}")
        handling.take_bounce(delivery, failure, key=f"sms:{number}", at=now)
    return True


def take_inbound(request: HttpRequest, account: int) -> bool:
    row = SenderAccount.objects.filter(pk=account, channel="sms").first()
    if row is None or not is_signed(request, row):
        return False
    given = request.POST
    key = given.get("MessageSid") or hashlib.sha256(given.urlencode().encode()).hexdigest()[:32]
    take_text(
        channel="sms", phone=given.get("From", ""), text=given.get("Body", ""), key=f"sms:{key}"[:80],
        at=timezone.now(),
    )  # fmt: skip
    return True
