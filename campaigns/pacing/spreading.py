"""Chunks of a slow run stand in line, instead of all asking for the same tokens again and again."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from campaigns.ledger import CHUNK_SIZE, Claim
from campaigns.models import Chunk, ChunkStatus, Delivery, DeliveryStatus, RunStatus, SkipReason

# Nobody waits longer than this without asking: the rate may have been raised meanwhile.
HORIZON_SECONDS = 10.0


def spread_out(claim: Claim, wait_seconds: float, *, per_second: float | None) -> datetime:
    """When the claimed chunk asks again. The run's other chunks that are due line up behind it, each as far
    apart as the rate needs for one."""
    now = timezone.now()
    again_at = now + timedelta(seconds=min(wait_seconds, HORIZON_SECONDS))
    if per_second is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                _SPREAD,
                [claim.run_id, claim.chunk_id, now, again_at, CHUNK_SIZE / per_second, HORIZON_SECONDS],
            )
    return again_at


def ask_again(channel: str) -> None:
    """Whoever waits for a turn under rates of this channel that were changed asks again now."""
    waiting = Delivery.objects.filter(
        run__status__in=[RunStatus.SENDING, RunStatus.PAUSED], run__content__channel=channel,
        status=DeliveryStatus.PENDING, reason__in=[SkipReason.RATE, SkipReason.WARM_UP],
    )  # fmt: skip
    chunks = list(waiting.order_by().values_list("chunk_id", flat=True).distinct())
    waiting.update(due_at=None)
    Chunk.objects.filter(pk__in=chunks, status=ChunkStatus.FREE).update(due_at=timezone.now())


_SPREAD = """
    WITH waiting AS (
        SELECT id, due_at FROM campaigns_chunk
        WHERE run_id = %s AND id <> %s AND status = 'free' AND due_at <= %s
        ORDER BY id FOR UPDATE SKIP LOCKED
    ), placed AS (
        SELECT id, row_number() OVER (ORDER BY due_at, id) AS place FROM waiting
    )
    UPDATE campaigns_chunk AS k
    SET due_at = %s::timestamptz + make_interval(secs => least(place * %s::float8, %s::float8))
    FROM placed WHERE k.id = placed.id
"""
