"""What is done about reports: unknown deliveries resolved, events written, addresses suppressed on evidence.

A report counts only when it names a message of ours by a number that nobody can invent, and suppresses only
the address that this very customer still has. A hard bounce or a complaint suppresses at once; soft ones when
five messages in a row, over at least a week, came back; blocked messages never.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from campaigns import channels
from campaigns.feedback.classify import HARD, SOFT, Failure
from campaigns.feedback.reports import Report
from campaigns.models import Bounce, Delivery, DeliveryStatus
from campaigns.tracking import links
from campaigns.transport.smtp import redact
from personalization.customers import services as customers
from personalization.customers.models import SuppressionReason
from personalization.customers.selectors import person_address
from personalization.events.services import NewEvent, record_events

SOFT_IN_A_ROW = 5
SOFT_SPAN = timedelta(days=7)
# No report within this time: the message arrived.
REPORTED_WITHIN = timedelta(days=5)


@dataclass(frozen=True)
class Taken:
    """`kind` of the report; `deliveries`: how many messages of ours it was believed about."""

    kind: str
    deliveries: int


def find_delivery(number: str) -> Delivery | None:
    """The delivery whose message has this number; None for a number that we did not give."""
    pk = links.delivery_of(number)
    if pk is None:
        return None
    delivery = (
        Delivery.objects.select_related("run__experiment", "variant", "customer")
        .filter(pk=pk, customer__isnull=False)
        .first()
    )
    if delivery is None or delivery.customer_id is None:
        return None
    own = links.message_id(
        delivery.pk, delivery.run_id, delivery.customer_id, delivery.run.content["channel"]
    )
    return delivery if own == number else None


@transaction.atomic
def take_report(report: Report, *, key: str, at: datetime | None = None) -> Taken:
    """`key` names the mail, so that reading it twice counts once."""
    at = at or timezone.now()
    found = [delivery for number in report.numbers if (delivery := find_delivery(number))]
    for delivery in found[:1]:
        if report.kind == "bounce":
            take_bounce(delivery, _about(delivery, report.failures), key=key, at=at)
        elif report.kind == "complaint":
            take_complaint(delivery, at=at)
        elif report.kind == "delivered":
            take_delivered(delivery, at=at)
        elif report.kind in ("auto_reply", "reply"):
            take_reply(delivery, key=key, at=at, is_automatic=report.kind == "auto_reply")
    return Taken(report.kind, len(found[:1]))


def _about(delivery: Delivery, failures: tuple[Failure, ...]) -> Failure:
    own = address_of(delivery).lower()
    return next((one for one in failures if one.address.lower() == own), failures[0])


def address_of(delivery: Delivery) -> str:
    """The customer's present address on the channel of the delivery."""
    assert delivery.customer is not None
    column = channels.get(delivery.run.content["channel"]).address_column
    return (
        str(getattr(delivery.customer, column) or "").strip()
        if column
        else person_address(delivery.customer.pk)
    )


def take_bounce(delivery: Delivery, failure: Failure, *, key: str, at: datetime) -> None:
    """That it came back shows that it had been taken over."""
    resolve(delivery, DeliveryStatus.SENT, at=at)
    if not failure.is_final:
        return
    row, is_new = Bounce.objects.get_or_create(
        key=key[:100],
        defaults={
            "delivery": delivery, "customer": delivery.customer,
            "channel": delivery.run.content["channel"], "kind": failure.kind, "status": failure.status[:12],
            "detail": redact(failure.detail).replace("\0", "")[:300], "at": at,
        },
    )  # fmt: skip
    if not is_new:
        return
    record(delivery, "Message Bounced", f"bounce-{row.pk}", at=at, kind=failure.kind, status=failure.status)
    own = address_of(delivery)
    if failure.address and failure.address.lower() != own.lower():
        return
    if failure.kind == HARD or (failure.kind == SOFT and _is_dead(delivery, at=at)):
        suppress(delivery, SuppressionReason.BOUNCED)
        Bounce.objects.filter(pk=row.pk).update(suppressed=True)


@transaction.atomic
def take_complaint(delivery: Delivery, *, at: datetime) -> None:
    """The first one about a message counts: an old call that is played back does not silence anew whom staff
    have let in again."""
    resolve(delivery, DeliveryStatus.SENT, at=at)
    if record(delivery, "Message Complained", "complaint", at=at):
        suppress(delivery, SuppressionReason.COMPLAINED)


def take_delivered(delivery: Delivery, *, at: datetime) -> None:
    resolve(delivery, DeliveryStatus.SENT, at=at)
    record(delivery, "Message Delivered", "delivered", at=at)


def take_rejected(delivery: Delivery, *, at: datetime, detail: str = "") -> None:
    """The provider says that it will not send it."""
    resolve(delivery, DeliveryStatus.FAILED, at=at, detail=detail)


def take_reply(delivery: Delivery, *, key: str, at: datetime, is_automatic: bool) -> None:
    resolve(delivery, DeliveryStatus.SENT, at=at)
    extra: dict[str, Any] = {"machine": True} if is_automatic else {}
    record(delivery, "Message Replied", f"reply-{key}", at=at, **extra)


def take_unsubscribe(delivery: Delivery, *, at: datetime) -> None:
    """They answered with a word that ends all messages of the channel, or told the provider so."""
    resolve(delivery, DeliveryStatus.SENT, at=at)
    suppress(delivery, SuppressionReason.UNSUBSCRIBED)
    record(delivery, "Message Unsubscribed", "unsubscribe", at=at, scope="all")


def resolve(delivery: Delivery, status: str, *, at: datetime, detail: str = "") -> bool:
    """Ends an unknown by evidence; whether it did. Nothing else is touched."""
    changes: dict[str, Any] = {"status": status, "detail": redact(detail)[:300] or delivery.detail}
    if status == DeliveryStatus.SENT:
        changes["sent_at"] = delivery.sent_at or at
    changed = Delivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.UNKNOWN).update(**changes)
    if changed and status == DeliveryStatus.SENT:
        record(delivery, "Message Sent", "sent", at=at)
    return bool(changed)


def suppress(delivery: Delivery, reason: str) -> None:
    if address := address_of(delivery):
        customers.suppress(
            channel=delivery.run.content["channel"], address=address, reason=reason,
            customer_id=delivery.customer_id,
        )  # fmt: skip


def record(delivery: Delivery, name: str, what: str, *, at: datetime, **extra: Any) -> bool:
    """One event of the delivery; `what` makes it this one. Whether it was new."""
    if delivery.customer_id is None:
        return False
    properties: dict[str, Any] = {**properties_of(delivery), **extra}
    event = NewEvent(
        customer_id=delivery.customer_id, message_id=f"delivery-{delivery.pk}-{what}", name=name,
        occurred_at=at, properties=properties,
    )  # fmt: skip
    return bool(record_events([event]))


def properties_of(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "campaign": delivery.run.campaign_id, "run": delivery.run_id,
        "experiment": delivery.run.experiment.key,
        "variant": delivery.variant.key if delivery.variant else None,
        "channel": delivery.run.content["channel"],
    }  # fmt: skip


def _is_dead(delivery: Delivery, *, at: datetime) -> bool:
    """Whether the newest messages all came back softly: enough of them, over enough time."""
    rows = (
        Delivery.objects.filter(
            customer=delivery.customer_id, status=DeliveryStatus.SENT, sent_at__isnull=False,
            run__content__channel=delivery.run.content["channel"],
        )
        .annotate(is_soft=Exists(Bounce.objects.filter(delivery=OuterRef("pk"), kind=SOFT)))
        .order_by("-sent_at")
        .values_list("sent_at", "is_soft")[: SOFT_IN_A_ROW * 4]
    )  # fmt: skip
    failed: list[datetime] = []
    for sent_at, is_soft in rows:
        if sent_at is None:
            continue  # the query leaves none
        if is_soft:
            failed.append(sent_at)
        elif at - sent_at > REPORTED_WITHIN:
            break
    return len(failed) >= SOFT_IN_A_ROW and failed[0] - failed[-1] >= SOFT_SPAN
