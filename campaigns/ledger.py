"""The ledger: what state each delivery is in, and who may change it.

Truth is in PostgreSQL. A worker claims a chunk by compare-and-set, holds it by a lease, and settles it in one
transaction. Always: audience = sent + failed + skipped + unknown + pending. What was sent or skipped stays
so, what failed may be pending again; `unknown` (the server may have taken it) ends by evidence, never by a
resend.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_noop

from campaigns.models import (
    Chunk,
    ChunkStatus,
    Delivery,
    DeliveryStatus,
    LearningStatus,
    RolloutStatus,
    Run,
    RunStatus,
    SkipReason,
)
from personalization.importing.passing import json_bytes

log = structlog.get_logger(__name__)
S = DeliveryStatus
# Deliveries that a worker claims, sends and settles together.
CHUNK_SIZE = 500
LEASE = timedelta(seconds=settings.SEND_LEASE_SECONDS)
# A journal of another machine cannot be read here: its machine gets this long to come back and tell.
FOREIGN_GRACE = timedelta(minutes=10)
# A chunk that never ends well (a message that kills the worker) stops its run instead of looping for ever.
MAX_CLAIMS = 10
ENDS_WORKERS = gettext_noop(
    "A part of it ended its worker again and again. Look into the log of the workers, then resume."
)


class Row(msgspec.Struct, frozen=True):
    """A pending delivery of a claimed chunk. `attempt` counts tries that ended with an answer, from 0;
    `wait_ends_at` is set once it was held back."""

    id: int
    customer_id: int | None
    variant: str
    attempt: int
    occurrence: int = 0
    variables: Mapping[str, Any] | None = None
    wait_ends_at: datetime | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What happened to one delivery. `status` pending means: try again at `due_at`, at the latest let it be
    from `wait_ends_at` on."""

    delivery_id: int
    status: str
    reason: str = ""
    detail: str = ""
    at: datetime | None = None
    inputs: dict[str, Any] | None = None
    counts: bool = True  # whether it was a try
    due_at: datetime | None = None
    wait_ends_at: datetime | None = None
    unused: tuple[str, ...] = ()  # coupon pools whose code the message did not show
    copy: bytes = b""  # see sending.copies
    devices: tuple[dict[str, Any], ...] = ()  # see sending.devices


@dataclass(frozen=True)
class Claim:
    chunk_id: int
    run_id: int
    owner: str
    previous_owner: str


def claim(chunk_id: int, *, owner: str, journal: str, now: datetime | None = None) -> Claim | None:
    """Takes a due chunk whose lease, if any, has run out; None when it is not to be had.

    A chunk last held with another journal is left alone for FOREIGN_GRACE after its lease.
    """
    now = now or timezone.now()
    with transaction.atomic():
        chunk = (
            Chunk.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("run")
            .filter(pk=chunk_id)
            .filter(open_chunks(now))
            .first()
        )
        if chunk is None:
            return None
        previous = chunk.lease_owner
        foreign = previous and previous.split("/")[0] != journal.split("/")[0]
        if foreign and chunk.lease_until and chunk.lease_until + FOREIGN_GRACE > now:
            return None
        if chunk.attempts >= MAX_CLAIMS:
            _stop(chunk)
            return None
        chunk.status, chunk.lease_owner, chunk.lease_until = ChunkStatus.CLAIMED, owner, now + LEASE
        chunk.attempts += 1
        chunk.save(update_fields=["status", "lease_owner", "lease_until", "attempts"])
    return Claim(chunk.pk, chunk.run_id, owner, previous)


def open_chunks(now: datetime) -> Q:
    """Chunks a worker may take now. Those of a canceled run are taken only to be closed."""
    free = Q(status=ChunkStatus.FREE, due_at__lte=now)
    lapsed = Q(status=ChunkStatus.CLAIMED, lease_until__lt=now)
    canceled = Q(status=ChunkStatus.FREE, run__status=RunStatus.CANCELED)
    return (Q(run__status__in=[RunStatus.SENDING, RunStatus.CANCELED]) & (free | lapsed)) | canceled


def _stop(chunk: Chunk) -> None:
    log.error("run_paused", run=chunk.run_id, chunk=chunk.pk, attempts=chunk.attempts)
    Run.everything.filter(pk=chunk.run_id, status=RunStatus.SENDING).update(
        status=RunStatus.PAUSED,
        note=ENDS_WORKERS,
    )
    Chunk.objects.filter(pk=chunk.pk).update(attempts=0)


def renew(claim: Claim, *, now: datetime | None = None) -> bool:
    """Prolongs the lease; False when it was lost."""
    until = (now or timezone.now()) + LEASE
    return bool(_held(claim).update(lease_until=until))


def _held(claim: Claim) -> Any:
    return Chunk.objects.filter(pk=claim.chunk_id, lease_owner=claim.owner, status=ChunkStatus.CLAIMED)


def lock_held(claim: Claim) -> bool:
    """Whether the chunk is still ours; if so, it stays until the end of the caller's transaction."""
    return _held(claim).select_for_update().exists()


def pending(chunk_id: int) -> list[Row]:
    """Everyone in the chunk without an outcome, also those who are not due yet."""
    rows = Delivery.everything.filter(chunk_id=chunk_id, status=S.PENDING).order_by("pk")
    return [
        Row(pk, customer, variant or "", attempts, occurrence, variables, wait_ends_at)
        for pk, customer, variant, attempts, occurrence, variables, wait_ends_at in rows.values_list(
            "pk", "customer_id", "variant__key", "attempts", "occurrence", "variables", "wait_ends_at"
        )
    ]


def not_due(chunk_id: int, *, now: datetime) -> set[int]:
    """Ids of the chunk's deliveries that wait until later than now."""
    rows = Delivery.everything.filter(chunk_id=chunk_id, status=S.PENDING, due_at__gt=now)
    return set(rows.values_list("pk", flat=True))


def record(claim: Claim, outcomes: Sequence[Outcome]) -> set[int]:
    """Writes outcomes in one statement, inside the caller's transaction; answers the ids that changed.

    Facts (sent, failed) also resolve what was flagged unknown meanwhile; nothing else overwrites a state.
    """
    if not outcomes:
        return set()
    rows = [_as_row(outcome) for outcome in outcomes]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [json_bytes(rows).decode(), claim.chunk_id])
        return {row[0] for row in cursor.fetchall()}


def _as_row(outcome: Outcome) -> dict[str, Any]:
    """One text for all rows: ten arrays of values cost the driver ten times as much."""
    return {
        "id": outcome.delivery_id, "status": outcome.status, "reason": outcome.reason,
        "detail": outcome.detail[:300].replace("\0", "").encode(errors="replace").decode(),
        "sent_at": outcome.at if outcome.status == S.SENT else None,
        "inputs": outcome.inputs, "tries": int(outcome.counts), "due_at": outcome.due_at,
        "wait_ends_at": outcome.wait_ends_at, "devices": outcome.devices or None,
    }  # fmt: skip


_RECORD = """
    UPDATE campaigns_delivery AS d
    SET status = n.status, reason = n.reason, detail = n.detail, sent_at = coalesce(n.sent_at, d.sent_at),
        inputs = coalesce(n.inputs, d.inputs), attempts = d.attempts + n.tries, due_at = n.due_at,
        wait_ends_at = coalesce(n.wait_ends_at, d.wait_ends_at),
        devices = CASE WHEN d.customer_id IS NOT NULL
            THEN coalesce(d.devices || n.devices, n.devices, d.devices) END
    FROM json_to_recordset(%s::json) AS n(
        id bigint, status text, reason text, detail text, sent_at timestamptz, inputs jsonb, tries int,
        due_at timestamptz, wait_ends_at timestamptz, devices jsonb
    )
    WHERE d.id = n.id AND d.chunk_id = %s
        AND (d.status = 'pending' OR (d.status = 'unknown' AND n.status IN ('sent', 'failed')))
    RETURNING d.id
"""


def release(claim: Claim, *, retry_at: datetime | None) -> bool:
    """Ends the claim inside the caller's transaction: done, or free again when something is left.

    False when the lease was lost; then the chunk belongs to another and is not touched.
    """
    # The run is locked first, as pause and cancel do it: whoever comes second sees what the first did.
    run = Run.everything.select_for_update(no_key=True).only("status").get(pk=claim.run_id)
    if not lock_held(claim):
        return False
    if run.status == RunStatus.CANCELED:
        skip_pending([claim.chunk_id])
    now = timezone.now()
    left = Delivery.everything.filter(chunk_id=claim.chunk_id, status=S.PENDING).aggregate(
        n=Count("pk"), first=Min(Coalesce("due_at", Value(now)))
    )
    _held(claim).update(
        status=ChunkStatus.FREE if left["n"] else ChunkStatus.DONE,
        lease_owner="",
        lease_until=None,
        due_at=max(retry_at or now, left["first"] or now, now),
        attempts=0,
        queued_until=None,
    )
    return True


def skip_pending(chunk_ids: Iterable[int]) -> int:
    return Delivery.everything.filter(chunk_id__in=list(chunk_ids), status=S.PENDING).update(
        status=S.SKIPPED, reason=SkipReason.CANCELED
    )


def finish_runs(*, now: datetime) -> int:
    """Closes every run that has no open chunk left, no rest that waits for a winner, and takes nobody in."""
    open_left = Chunk.objects.exclude(status=ChunkStatus.DONE).values("run_id")
    return (
        Run.everything.filter(status=RunStatus.SENDING, is_standing=False)
        .exclude(pk__in=open_left)
        .exclude(rollout__status=RolloutStatus.WAITING)
        .exclude(learning__status=LearningStatus.WAITING)
        .update(status=RunStatus.FINISHED, finished_at=now)
    )
