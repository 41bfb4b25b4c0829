"""What logs and traces say while a chunk is being sent: ids and numbers, never whom or what."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from campaigns.ledger import Claim, Outcome
from campaigns.models import DeliveryStatus
from campaigns.sending.context import RunContent
from personalization import tracing

log = structlog.get_logger(__name__)
# What somebody asks about at night; how the others went is said by the chunk's line.
EACH = (DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)


@contextmanager
def sending(claim: Claim, run: RunContent) -> Iterator[None]:
    """Every line inside names campaign, run and chunk; the chunk is a span."""
    ids = {"campaign": run.campaign_id, "run": run.run_id, "chunk": claim.chunk_id}
    about = {f"bespoke.{name}": value for name, value in ids.items()}
    with (
        structlog.contextvars.bound_contextvars(**ids),
        tracing.span("send chunk", about | {"bespoke.channel": run.channel.name}),
    ):
        yield


def tell(run: RunContent, outcomes: Sequence[Outcome]) -> None:
    """How the messages ended: a line for the chunk, and one for each that failed or is unknown."""
    for outcome in outcomes:
        if outcome.status in EACH:
            log.info("message_not_sent", delivery=outcome.delivery_id, status=outcome.status)
    if not outcomes:
        return
    ended = Counter(str(outcome.status) for outcome in outcomes)
    log.info("chunk_sent", **ended)
    tracing.note({f"bespoke.messages.{status}": number for status, number in ended.items()})
    if run.is_test:
        return
    for status, number in ended.items():
        tracing.count("bespoke.messages", number, {"channel": run.channel.name, "status": status})
