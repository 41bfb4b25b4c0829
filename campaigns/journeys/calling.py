"""Makes the calls that journeys owe: signed by Standard Webhooks, at least once, always under the same id.

They go where the common guard of outgoing calls (`access.outbound`) lets them.
"""

import base64
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from campaigns.models import CallStatus, WebhookCall
from campaigns.transport.http import Call, HttpLine, NoAnswer, NotTaken
from campaigns.transport.session import ChannelError
from personalization.access.outbound import ForbiddenAddress

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS = 10
MAX_TRIES = 8
# A call in a worker's hands is another's after this long.
LEASE = timedelta(seconds=60)
BATCH = 50


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
    line = HttpLine(timeout=TIMEOUT_SECONDS)
    try:
        for call in calls:
            _make(call, line)
    finally:
        line.close()
    return len(calls)


def _make(call: WebhookCall, line: HttpLine) -> None:
    attempts = call.attempts + 1
    try:
        status = _post(call, line)
        done, detail = 200 <= status < 300, f"HTTP {status}"
        lost = 400 <= status < 500 and status not in (408, 425, 429)
    except ForbiddenAddress as error:
        done, detail, lost = False, str(error), True
    except (ChannelError, NotTaken, NoAnswer) as error:
        done, detail, lost = False, str(error), False
    if done:
        state = CallStatus.DONE
    else:
        state = CallStatus.FAILED if lost or attempts >= MAX_TRIES else CallStatus.WAITING
    WebhookCall.objects.filter(pk=call.pk).update(
        status=state, attempts=attempts, detail=detail[:200],
        due_at=timezone.now() + timedelta(seconds=30 * 2**attempts),
    )  # fmt: skip


def _post(call: WebhookCall, line: HttpLine) -> int:
    body = json.dumps(_document(call), default=str)
    call_id = f"journey-{call.passage_id}-{call.node}"
    moment = timezone.now()
    headers = {
        "content-type": "application/json", "webhook-id": call_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret()).sign(call_id, moment, body),
    }  # fmt: skip
    # Receivers know the id: the same call may be repeated, so there is no moment of no return.
    post = Call(call.url, body.encode(), headers, is_keyed=True, is_test=call.passage.is_test)
    return line.exchange(post, intent=lambda: None).status


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
