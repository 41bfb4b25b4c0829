"""What a phone writes back, by SMS or WhatsApp: a word that ends all messages, or a reply."""

import string
from datetime import datetime, timedelta

from campaigns.feedback import handling
from campaigns.models import Delivery, DeliveryStatus
from personalization.customers.models import Customer, SuppressionReason
from personalization.customers.services import suppress

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "TD", "退订"}
BLANKS = string.whitespace + string.punctuation + "。！!．"
# What comes later has little to do with what we wrote.
ANSWERED_WITHIN = timedelta(days=7)


def take_text(*, channel: str, phone: str, text: str, key: str, at: datetime) -> None:
    """`key` names the text, so that a repeated call counts once. The words themselves are not kept."""
    if not phone.startswith("+"):
        return
    delivery = _answered(channel, phone, at)
    if is_stop(text):
        customer = Customer.objects.filter(phone=phone).order_by("pk").first()
        suppress(
            channel=channel, address=phone, reason=SuppressionReason.UNSUBSCRIBED,
            customer_id=customer.pk if customer else None,
        )  # fmt: skip
        if delivery is not None:
            handling.take_unsubscribe(delivery, at=at)
    elif delivery is not None:
        handling.take_reply(delivery, key=key, at=at, is_automatic=False)


def is_stop(text: str) -> bool:
    """One of the words alone, however it is written: “Stop.”, “ stop ”."""
    return text.strip(BLANKS).upper() in STOP


def _answered(channel: str, phone: str, at: datetime) -> Delivery | None:
    """The last message to that phone."""
    found = Delivery.objects.filter(
        customer__phone=phone, run__content__channel=channel, sent_at__gt=at - ANSWERED_WITHIN,
        status__in=[DeliveryStatus.SENT, DeliveryStatus.UNKNOWN],
    )  # fmt: skip
    found = found.select_related("run__experiment", "variant", "customer")
    return found.order_by("-sent_at", "-pk").first()
