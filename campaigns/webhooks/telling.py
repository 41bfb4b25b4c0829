"""From events to calls: what is new is put into the log in one statement, what is due is told.

Told at least once, always under the same `webhook-id`. Retries follow the schedule that the standard
proposes, with a fifth of jitter; 410 ends the endpoint. A dead worker gives its rows back after a minute.
"""

import json
import random
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from campaigns.channels.webhook import sign
from campaigns.models import Telling, TellingStatus, WebhookEndpoint
from campaigns.transport import breaker
from campaigns.transport.http import Call, HttpLine, NoAnswer, NotTaken, Reply, judge
from campaigns.transport.session import ChannelError
from personalization.access.outbound import ForbiddenAddress
from personalization.events.models import Event

log = structlog.get_logger(__name__)
PAUSES = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]  # seconds; then it has failed
# Events are numbered when they come and seen when their transaction ends: look back over what was in flight.
LOOK_BACK = timedelta(minutes=2)
BATCH = 200
CLAIMED = timedelta(minutes=1)
# No call begins later: with the longest wait it ends before the next worker may claim the row.
TELLING_SECONDS = 40.0
GONE = gettext_noop("HTTP 410: the receiver wants no more calls")


def collect(endpoint: WebhookEndpoint, *, now: datetime | None = None) -> int:
    """Puts the endpoint's new events into its log; how many."""
    now = now or timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _COLLECT,
            {
                "endpoint": endpoint.pk, "now": now,
                "since": max(endpoint.read_until - LOOK_BACK, endpoint.created_at),
                "all": not endpoint.events, "names": endpoint.events,
            },
        )  # fmt: skip
        new = cursor.rowcount
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(read_until=now)
    return new


_COLLECT = """
    INSERT INTO campaigns_telling
        (endpoint_id, customer_id, message_key, event, status, attempts, due_at, detail, created_at)
    SELECT %(endpoint)s, e.customer_id, e.message_key, e.name, 'waiting', 0, %(now)s, '', %(now)s
    FROM events_event AS e
    WHERE e.received_at >= %(since)s AND e.received_at <= %(now)s AND (%(all)s OR e.name = ANY(%(names)s))
    ON CONFLICT (endpoint_id, customer_id, message_key) DO NOTHING
"""


def tell_due(endpoint_id: int) -> int:
    """Tells what is due to one endpoint, at most a batch, and of it as much as the claim leaves time for; how
    many were taken. Any number may run at once."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True).first()
    if endpoint is None or not breaker.may_try(breaker_key(endpoint)):
        return 0
    taken, ends = 0, monotonic() + TELLING_SECONDS
    line = HttpLine(timeout=min(settings.SEND_TIMEOUT_SECONDS, 15))
    try:
        for row in _claim(endpoint):
            if monotonic() > ends or not _tell(endpoint, row, line):
                break
            taken += row.status == TellingStatus.SENT
    finally:
        line.close()
    return taken


def _claim(endpoint: WebhookEndpoint) -> list[Telling]:
    now = timezone.now()
    with transaction.atomic():
        rows = list(
            Telling.objects.select_for_update(skip_locked=True)
            .filter(endpoint=endpoint, status=TellingStatus.WAITING, due_at__lte=now)
            .order_by("due_at", "pk")[:BATCH]
        )
        Telling.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=now + CLAIMED)
    return rows


def _tell(endpoint: WebhookEndpoint, row: Telling, line: HttpLine) -> bool:
    """One call and its record. False when nothing more should be told to this endpoint now."""
    event = Event.objects.filter(customer_id=row.customer_id, message_key=row.message_key).first()
    if event is None:
        row.delete()  # erased meanwhile
        return True
    body = json.dumps(payload(event), default=str)
    call = Call(
        endpoint.url, body.encode(), sign_for(endpoint, body, key=f"evt_{row.message_key.hex}"), is_keyed=True
    )
    try:
        reply = line.exchange(call, intent=lambda: None)
    except ForbiddenAddress as error:
        _disable(endpoint, str(error))
        return False
    except (ChannelError, NotTaken, NoAnswer) as error:
        _later(row, str(error), 0.0)
        breaker.fail(breaker_key(endpoint), str(error))
        return False
    return _note(endpoint, row, reply)


def _note(endpoint: WebhookEndpoint, row: Telling, reply: Reply) -> bool:
    answer = judge(reply)
    if reply.status == 410:
        _disable(endpoint, GONE)
        return False
    if answer.kind != "sent":
        _later(row, answer.detail, answer.retry_after)
        if reply.status >= 500 or reply.status == 429:
            return not breaker.fail(breaker_key(endpoint), answer.detail).until
        return True
    breaker.succeed(breaker_key(endpoint))
    row.status, row.told_at, row.detail, row.attempts = (
        TellingStatus.SENT,
        timezone.now(),
        answer.detail,
        row.attempts + 1,
    )
    row.save(update_fields=["status", "told_at", "detail", "attempts"])
    return True


def _later(row: Telling, detail: str, retry_after: float) -> None:
    """Any answer but a yes is tried again: receivers answer 404 while they are being deployed."""
    row.detail, row.attempts = detail[:300], row.attempts + 1
    if row.attempts > len(PAUSES):
        row.status = TellingStatus.FAILED
    else:
        jitter = 1 + random.uniform(-0.2, 0.2)  # noqa: S311 - spreads retries, guards nothing
        pause = max(PAUSES[row.attempts - 1] * jitter, retry_after)
        row.due_at = timezone.now() + timedelta(seconds=pause)
    row.save(update_fields=["detail", "attempts", "status", "due_at"])


def _disable(endpoint: WebhookEndpoint, problem: str) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_active=False, problem=problem[:300])
    log.warning("webhook_disabled", endpoint=endpoint.pk, problem=problem)


def sign_for(endpoint: WebhookEndpoint, body: str, *, key: str) -> dict[str, str]:
    """Headers signed by the secret, and by the one before it while that still holds."""
    found = sign(body, secret=endpoint.secret, key=key)
    if endpoint.old_secret and endpoint.old_secret_until and endpoint.old_secret_until > timezone.now():
        at = datetime.fromtimestamp(int(found["webhook-timestamp"]), timezone.now().tzinfo)
        old = sign(body, secret=endpoint.old_secret, key=key, at=at)
        found["webhook-signature"] += " " + old["webhook-signature"]
    return found


def payload(event: Event) -> dict[str, Any]:
    """`type` is the event's name in small letters with dots, as the standard asks."""
    return {
        "type": ".".join(event.name.lower().split()),
        "timestamp": event.occurred_at.isoformat(),
        "data": {
            "event": event.name,
            "customer": event.customer.external_id,
            "customer_number": event.customer_id,
            "item": event.item.external_id if event.item else None,
            "value": str(event.value) if event.value is not None else None,
            "properties": event.properties,
            "received_at": event.received_at.isoformat(),
        },
    }


def breaker_key(endpoint: WebhookEndpoint) -> str:
    return f"webhook:{endpoint.pk}"
