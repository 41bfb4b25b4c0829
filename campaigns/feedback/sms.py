"""Callbacks of a Twilio-compatible service. Signature: HMAC-SHA1 over the address called and the sorted form
fields, under the account's token (Twilio's "Validating requests")."""

import base64
import hmac

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from campaigns.feedback import handling
from campaigns.feedback.classify import HARD, SOFT, Failure
from campaigns.models import DeliveryStatus, SenderAccount
from personalization.customers.models import Customer, SuppressionReason
from personalization.customers.services import suppress

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "TD", "退订"}
# Codes of numbers that will never take a message. 30003 is only a phone that is switched off.
GONE = {"30004", "30005", "30006", "21610", "21614"}


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
    elif status in ("undelivered", "failed"):
        kind = HARD if code in GONE else SOFT
        failure = Failure("", kind, "", f"{status} {code}")
        handling.take_bounce(delivery, failure, key=f"sms:{number}", at=now)
    return True


def take_inbound(request: HttpRequest, account: int) -> bool:
    row = SenderAccount.objects.filter(pk=account, channel="sms").first()
    if row is None or not is_signed(request, row):
        return False
    phone, text = request.POST.get("From", ""), request.POST.get("Body", "")
    if text.strip().upper() in STOP and phone.startswith("+"):
        customer = Customer.objects.filter(phone=phone).order_by("pk").first()
        suppress(
            channel="sms", address=phone, reason=SuppressionReason.UNSUBSCRIBED,
            customer_id=customer.pk if customer else None,
        )  # fmt: skip
    return True
