"""Makes the calls that journeys owe: signed by Standard Webhooks, at least once, always under the same id.

A call goes only to a public address, whatever the name in it is turned into meanwhile: the address that was
judged is the one that is connected to. Redirects are not followed.
"""

import base64
import hmac
import ipaddress
import json
import socket
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
import urllib3
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from campaigns.models import CallStatus, WebhookCall

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS = 10
MAX_TRIES = 8
# A call in a worker's hands is another's after this long.
LEASE = timedelta(seconds=60)
BATCH = 50


class CallRefused(Exception):
    """There is no use in trying again."""


def make_due_calls(*, now: datetime | None = None) -> int:
    """Makes up to BATCH calls that are due; answers how many were tried."""
    now = now or timezone.now()
    with transaction.atomic():
        due = (
            WebhookCall.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status=CallStatus.WAITING, due_at__lte=now)
            .select_related("passage", "passage__customer", "passage__journey")
            .order_by("due_at")[:BATCH]
        )
        calls = list(due)
        WebhookCall.objects.filter(pk__in=[call.pk for call in calls]).update(due_at=now + LEASE)
    for call in calls:
        _make(call, now)
    return len(calls)


def _make(call: WebhookCall, now: datetime) -> None:
    attempts = call.attempts + 1
    try:
        status = _post(call, now)
        done, detail = 200 <= status < 300, f"HTTP {status}"
        lost = 400 <= status < 500 and status not in (408, 425, 429)
    except CallRefused as error:
        done, detail, lost = False, str(error), True
    except (OSError, urllib3.exceptions.HTTPError) as error:
        done, detail, lost = False, type(error).__name__, False
    if done:
        state = CallStatus.DONE
    else:
        state = CallStatus.FAILED if lost or attempts >= MAX_TRIES else CallStatus.WAITING
    WebhookCall.objects.filter(pk=call.pk).update(
        status=state, attempts=attempts, detail=detail[:200],
        due_at=timezone.now() + timedelta(seconds=30 * 2**attempts),
    )  # fmt: skip


def _post(call: WebhookCall, now: datetime) -> int:
    body = json.dumps(_document(call), default=str)
    call_id = f"journey-{call.passage_id}-{call.node}"
    moment = timezone.now()
    headers = {
        "content-type": "application/json", "webhook-id": call_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret()).sign(call_id, moment, body),
    }  # fmt: skip
    parts = urlsplit(call.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = public_address(str(parts.hostname), port)
    options: dict[str, Any] = {"timeout": TIMEOUT_SECONDS, "retries": False}
    headers["host"] = parts.netloc.rpartition("@")[2]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port, server_hostname=parts.hostname, assert_hostname=parts.hostname, **options
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, **options)
    with pool:
        answer = pool.request("POST", target, body=body.encode(), headers=headers, redirect=False,
                              preload_content=False)  # fmt: skip
        answer.close()
        return int(answer.status)


def public_address(host: str, port: int) -> str:
    """An address of the host that may be called. Raises CallRefused, OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, where in found:
        address = str(where[0])
        if settings.WEBHOOKS_TO_PRIVATE or ipaddress.ip_address(address.partition("%")[0]).is_global:
            return address
    raise CallRefused("the address is not a public one")


def secret() -> str:
    """What receivers check the signature with."""
    raw = hmac.digest(settings.LINK_KEY.encode(), b"bespoke: journey webhooks", "sha256")
    return f"whsec_{base64.b64encode(raw).decode()}"


def _document(call: WebhookCall) -> dict[str, Any]:
    customer = call.passage.customer
    return {
        "type": "journey.step", "timestamp": call.created_at.isoformat(),
        "data": {
            "journey": call.passage.journey_id, "journey_name": call.passage.journey.name,
            "node": call.node, "customer_id": customer.pk if customer else None,
            "customer": customer.external_id if customer else None,
            "entered_at": call.passage.entered_at.isoformat(), "entry": call.passage.entry,
        },
    }  # fmt: skip
