"""What comes back from a message: opens, clicks, unsubscribes, written down as events of the customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone

from campaigns import channels
from campaigns.models import Delivery
from campaigns.tracking import machines
from campaigns.tracking.links import Link
from personalization.customers import services as customers
from personalization.customers.models import Customer, SuppressionReason
from personalization.customers.selectors import person_address
from personalization.events.services import NewEvent, mark_events, record_events

# How far back a scanner's visits are marked once it gave itself away.
AROUND = timedelta(seconds=60)
OPEN_STEP, CLICK_STEP = timedelta(minutes=1), timedelta(seconds=10)


@dataclass(frozen=True)
class Visit:
    """What is kept of a request: no address, only the kind of device. `agent` is looked at and not kept."""

    device: str
    is_head: bool = False
    at: datetime | None = None
    agent: str = "-"


def find_delivery(link: Link) -> Delivery | None:
    """The delivery a link belongs to; None once it or its customer was erased."""
    return (
        Delivery.objects.select_related("run__experiment", "run__campaign", "variant", "customer")
        .filter(pk=link.delivery_id, customer__isnull=False)
        .first()
    )


def record_open(link: Link, visit: Visit) -> None:
    _record(link, visit, name="Message Opened", kind="open", step=OPEN_STEP)


def record_click(link: Link, visit: Visit) -> None:
    _record(link, visit, name="Message Clicked", kind="click", step=CLICK_STEP, url=link.url)


def _record(link: Link, visit: Visit, *, name: str, kind: str, step: timedelta, **extra: str) -> None:
    """One event per delivery, kind and step of time, however often a mail program repeats itself."""
    delivery = find_delivery(link)
    if delivery is None:
        return
    at = visit.at or timezone.now()
    slot = int(at.timestamp() // step.total_seconds())
    what = "-".join([kind, str(slot), *extra.values()])
    reason = _machine(delivery, link, visit, at, is_click=kind == "click")
    marks: dict[str, Any] = {**extra, "machine": True, "machine_by": reason} if reason else extra
    record_events([_event(delivery, name, what, visit, at, marks)])
    if reason in ("walk", "trap"):
        mark_machine(delivery, at=at, reason=reason)


def record_trap(link: Link) -> None:
    """The link that nobody can see was followed: what this scanner did around it is marked."""
    delivery = find_delivery(link)
    if delivery is not None:
        machines.spring_trap(delivery.pk)
        mark_machine(delivery, at=timezone.now(), reason="trap")


def mark_machine(delivery: Delivery, *, at: datetime, reason: str) -> None:
    if delivery.customer_id is not None:
        mark_events(
            delivery.customer_id, names=("Message Opened", "Message Clicked"), since=at - AROUND,
            having={"run": delivery.run_id}, marks={"machine": True, "machine_by": reason},
        )  # fmt: skip


def _machine(delivery: Delivery, link: Link, visit: Visit, at: datetime, *, is_click: bool) -> str:
    seen = machines.Seen(
        delivery.pk, at, delivery.sent_at or datetime.fromtimestamp(link.issued_at, UTC), visit.agent,
        link.url, is_click, visit.is_head,
    )  # fmt: skip
    return machines.machine_reason(seen)


def _event(
    delivery: Delivery, name: str, what: str, visit: Visit, at: datetime, extra: Mapping[str, Any]
) -> NewEvent:
    assert delivery.customer_id is not None
    properties: dict[str, Any] = {
        "campaign": delivery.run.campaign_id,
        "run": delivery.run_id,
        "experiment": delivery.run.experiment.key,
        "variant": delivery.variant.key if delivery.variant else None,
        "channel": delivery.run.content["channel"],
        **extra,
    }
    return NewEvent(
        customer_id=delivery.customer_id,
        message_id=f"delivery-{delivery.pk}-{what}",
        name=name,
        occurred_at=at,
        properties=properties,
        context={"device": visit.device},
    )


@transaction.atomic
def unsubscribe(link: Link, visit: Visit, *, everything: bool = False) -> bool:
    """Withdraws the consent of everyone with this address for the message's channel and topic, at once.

    `everything` also puts the address on the channel's suppression list. Twice changes nothing. False when
    the customer is gone (and then gets nothing any more anyway).
    """
    delivery = find_delivery(link)
    if delivery is None or delivery.customer is None:
        return False
    channel = channels.get(delivery.run.content["channel"])
    topic, customer_pk = delivery.run.content["topic"], delivery.customer.pk
    column = channel.address_column
    address = str(getattr(delivery.customer, column)).strip() if column else person_address(customer_pk)
    at = visit.at or timezone.now()
    for customer_id in _sharing(delivery.customer, column, address):
        customers.record_consent(
            customer_id, channel=channel.name, topic=topic, granted=False, source="unsubscribe link", at=at
        )
    if everything and address:
        customers.suppress(
            channel=channel.name,
            address=address,
            reason=SuppressionReason.UNSUBSCRIBED,
            customer_id=delivery.customer_id,
        )
    extra = {"scope": "all" if everything else "topic"}
    record_events([_event(delivery, "Message Unsubscribed", "unsubscribe", Visit(visit.device), at, extra)])
    return True


def _sharing(customer: Customer, column: str, address: str) -> list[int]:
    """Whoever reads that mailbox said no, so it holds for all profiles with the address. Ids ascending."""
    if not address or not column:
        return [customer.pk]
    same = Customer.objects.annotate(address=Lower(column)).filter(address=address.lower())
    return sorted({customer.pk, *same.values_list("pk", flat=True)})


def device_of(user_agent: str) -> str:
    """phone, tablet, computer, or unknown: a class, never the agent itself."""
    agent = user_agent.lower()
    if not agent:
        return "unknown"
    if "ipad" in agent or "tablet" in agent or ("android" in agent and "mobile" not in agent):
        return "tablet"
    if "mobile" in agent or "iphone" in agent:
        return "phone"
    if any(word in agent for word in ("windows", "macintosh", "x11", "cros")):
        return "computer"
    return "unknown"
