"""The test console: one signed call with a made-up customer, and what the receiver said."""

import json
from dataclasses import dataclass
from ssl import SSLCertVerificationError
from time import monotonic
from uuid import uuid4

from django.utils import timezone

from campaigns.models import WebhookEndpoint
from campaigns.transport.http import Call, HttpLine, NoAnswer, NotTaken, in_words
from campaigns.transport.session import ChannelError
from campaigns.webhooks.telling import sign_for
from personalization.access.outbound import ForbiddenAddress
from personalization.access.services import audit

PATIENCE_SECONDS = 10
SHOWN = 2000


@dataclass(frozen=True)
class Trial:
    """`status`: 0 when no answer came, then `answer` says why. `is_untrusted`: its certificate was not
    believed."""

    sent: str
    status: int
    answer: str
    milliseconds: int
    is_untrusted: bool = False

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


def try_endpoint(endpoint: WebhookEndpoint, *, event: str, actor: str) -> Trial:
    """Calls the endpoint now, once, beside its log: nothing is repeated, nothing is switched off."""
    body = json.dumps(_sample(event), ensure_ascii=False)
    headers = sign_for(endpoint, body, key=f"test_{uuid4().hex}")
    line = HttpLine(timeout=PATIENCE_SECONDS)
    began, is_untrusted = monotonic(), False
    try:
        reply = line.exchange(Call(endpoint.url, body.encode(), headers), intent=lambda: None)
        status, answer = reply.status, reply.body[:SHOWN].decode(errors="replace")
    except (ForbiddenAddress, ChannelError, NotTaken, NoAnswer) as error:
        status, answer = 0, in_words(str(error))
        is_untrusted = isinstance(error.__cause__, SSLCertVerificationError)
    finally:
        line.close()
    audit(actor, "webhook.tried", f"webhook:{endpoint.pk}", status=status)
    return Trial(body, status, answer, round((monotonic() - began) * 1000), is_untrusted)


def _sample(event: str) -> dict[str, object]:
    now = timezone.now().isoformat()
    return {
        "type": ".".join(event.lower().split()),
        "timestamp": now,
        "data": {
            "event": event, "customer": "test-customer", "customer_number": 0, "item": None, "value": None,
            "properties": {"test": True}, "received_at": now,
        },
    }  # fmt: skip
