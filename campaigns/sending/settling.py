"""The end of a chunk's way: its outcomes become rows, copies and events, in one transaction."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone
from msgspec.structs import replace

from campaigns import ledger
from campaigns.coupons.services import give_back
from campaigns.feedback.refusals import take_refusals
from campaigns.ledger import Claim, Outcome, Row
from campaigns.limits import caps
from campaigns.models import DeliveryStatus, SkipReason
from campaigns.sending import context, copies
from personalization.events.services import NewEvent, record_events

log = structlog.get_logger(__name__)
S = DeliveryStatus
MAX_TRIES = 5


def give_up(outcome: Outcome, row: Row, retry_after: float = 0.0) -> Outcome:
    """A temporary refusal is tried again later and later, five times in all; never before the other side
    wants it (`retry_after`, seconds). Attempts are counted on when staff retry, so each retry begins a round
    of its own: whoever failed for good before the fifth has fewer tries in it."""
    if outcome.status != S.PENDING:
        return outcome
    tried = row.attempt % MAX_TRIES
    if tried + 1 == MAX_TRIES:
        return replace(outcome, status=S.FAILED)
    pause = timedelta(seconds=settings.SEND_RETRY_SECONDS) * 2**tried
    due_at = timezone.now() + max(pause, timedelta(seconds=retry_after))
    return replace(outcome, due_at=due_at, reason=SkipReason.BUSY)


def store(
    claim: Claim,
    run: context.RunContent,
    rows: list[Row],
    outcomes: list[Outcome],
    *,
    release: bool = False,
    retry_at: datetime | None = None,
) -> bool:
    """One transaction: states, `Message Sent` events but for tests, the end of the claim. False when it did
    not happen; then the journal keeps what there is to know."""
    by_id = {row.id: row for row in rows}
    try:
        with transaction.atomic():
            changed = ledger.record(claim, outcomes)
            _take_refusals(run, outcomes, changed)
            give_back(o for o in outcomes if o.delivery_id in changed)
            sent = [o for o in outcomes if o.status == S.SENT and o.delivery_id in changed]
            if not run.is_test:
                record_events([event for o in sent if (event := _sent_event(run, by_id[o.delivery_id], o))])
            copies.keep(outcomes, changed, at=timezone.now())
            is_held = ledger.release(claim, retry_at=retry_at) if release else ledger.lock_held(claim)
            caps.settle(claim.chunk_id, now=timezone.now(), is_held=is_held)
            return is_held or not release
    except DatabaseError as error:
        log.error("chunk_not_settled", error=type(error).__name__)
        return False


def _take_refusals(run: context.RunContent, outcomes: list[Outcome], changed: set[int]) -> None:
    """Mailboxes that the server itself said do not exist are suppressed like those that bounce."""
    if run.channel.name == "email":
        refused = [
            (o.delivery_id, o.detail) for o in outcomes if o.status == S.FAILED and o.delivery_id in changed
        ]
        take_refusals(refused, at=timezone.now())


def _sent_event(run: context.RunContent, row: Row, outcome: Outcome) -> NewEvent | None:
    if row.customer_id is None or outcome.at is None:
        return None
    return NewEvent(
        customer_id=row.customer_id,
        message_id=f"delivery-{row.id}-sent",
        name="Message Sent",
        occurred_at=outcome.at,
        properties={
            "campaign": run.campaign_id, "run": run.run_id, "experiment": run.experiment,
            "variant": row.variant, "channel": run.channel.name,
        },
    )  # fmt: skip
