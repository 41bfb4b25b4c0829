"""Frequency caps that hold whatever runs at the same time.

Before a worker hands anything over it reserves a place for each customer, in a transaction that first locks
these customers. A reservation counts as a message of this very moment until its outcome is known. So of two
campaigns the second sees the first, and for N messages in any span there are never N + 1: the one that was
reserved last saw all others, sent or reserved. A reservation that was not used is given back with the
chunk's outcomes, by the next worker after a kill, or counted as sent at the end of the dead worker's lease.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from campaigns.ledger import LEASE, Row
from campaigns.models import FrequencyCap, TopicRule
from personalization.importing.passing import numbers

# A place held by a reservation is free again or really taken within about this time.
LOOK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Cap:
    channel: str
    topic: str
    max_messages: int
    window: timedelta


def caps_for(*, channel: str, topic: str) -> tuple[Cap, ...] | None:
    """Caps that hold for such messages; None when the topic is exempt: neither limited nor counted."""
    if TopicRule.objects.filter(topic=topic, ignores_caps=True).exists():
        return None
    found = FrequencyCap.objects.filter(
        Q(channel="") | Q(channel=channel), Q(topic="") | Q(topic=topic), is_active=True
    )
    return tuple(Cap(c.channel, c.topic, c.max_messages, timedelta(hours=c.window_hours)) for c in found)


def reserve(
    rows: Sequence[Row],
    *,
    caps: Sequence[Cap],
    channel: str,
    topic: str,
    now: datetime,
    with_locks: bool = True,
) -> dict[int, datetime]:
    """Reserves a place for each row; by delivery id those that are capped, with when to ask again.

    Without locks only where nothing is really sent: a rehearsal must not hold up a sending.

    Of several rows of one customer the first is reserved; the others are asked again at once.
    """
    first: dict[int, Row] = {}
    held: dict[int, datetime] = {}
    for row in rows:
        if row.customer_id is None:
            continue
        if row.customer_id in first and caps:
            held[row.id] = now
        else:
            first.setdefault(row.customer_id, row)
    asked = [row for row in rows if row.customer_id is not None and row.id not in held]
    if not asked:
        return held
    with transaction.atomic(), connection.cursor() as cursor:
        if caps:
            if with_locks:
                customers = numbers(sorted(first))
                cursor.execute(_MAKE_LOCKS, [customers])
                cursor.execute(_LOCK, [customers])
            cursor.execute(_CAPPED, _cap_values(asked, caps, now))
            held.update(dict(cursor.fetchall()))
        taken = [row for row in asked if row.id not in held]
        cursor.execute(_TAKE, [channel, topic, now, *_both(taken)])
    return held


def _both(rows: Sequence[Row]) -> tuple[str, str]:
    """The deliveries and their customers."""
    return numbers(row.id for row in rows), numbers(row.customer_id or 0 for row in rows)


def _cap_values(asked: Sequence[Row], caps: Sequence[Cap], now: datetime) -> dict[str, Any]:
    ids, customers = _both(asked)
    return {
        "now": now, "soon": now + LOOK_AGAIN, "ids": ids, "customers": customers,
        "channels": [cap.channel for cap in caps], "topics": [cap.topic for cap in caps],
        "counts": [cap.max_messages for cap in caps], "windows": [cap.window for cap in caps],
    }  # fmt: skip


def settle(chunk_id: int, *, now: datetime, is_held: bool) -> None:
    """Brings the chunk's reservations in line with its deliveries, inside the caller's transaction.

    `is_held`: the chunk is still ours. If not, those that wait belong to whoever has it now.
    """
    given_back = ["failed", "skipped", *(["pending"] if is_held else [])]
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [chunk_id, given_back])
        cursor.execute(_KEEP, [now, chunk_id])


def count_lapsed(*, now: datetime) -> int:
    """Takes reservations of workers that died as sent when their lease ended: later they cannot have been.

    Whoever takes the chunk over will know better; but a paused run's is not taken over for a long time.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAPSED, [now - 2 * LEASE])
        return cursor.rowcount


# Each statement takes the customers in the order of their ids: waits can never form a circle.
_MAKE_LOCKS = """
    INSERT INTO campaigns_sendlock (customer_id)
    SELECT id FROM unnest(%s::bigint[]) AS id ORDER BY id ON CONFLICT DO NOTHING
"""
_LOCK = """
    SELECT FROM campaigns_sendlock WHERE customer_id = ANY(%s::bigint[]) ORDER BY customer_id FOR UPDATE
"""
# The message that would have to leave the window to make room, for the slowest of the caps.
_CAPPED = """
    SELECT asked.id, max(filled.free_at)
    FROM unnest(%(ids)s::bigint[], %(customers)s::bigint[]) AS asked(id, customer_id)
    CROSS JOIN unnest(%(channels)s::text[], %(topics)s::text[], %(counts)s::int[], %(windows)s::interval[])
        AS cap(channel, topic, most, span)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN t.is_reserved THEN %(soon)s::timestamptz ELSE t.at + cap.span END AS free_at
        FROM campaigns_touch AS t
        WHERE t.customer_id = asked.customer_id AND t.delivery_id <> asked.id
            AND (cap.channel = '' OR t.channel = cap.channel) AND (cap.topic = '' OR t.topic = cap.topic)
            AND (t.is_reserved OR t.at > %(now)s::timestamptz - cap.span)
        ORDER BY t.is_reserved DESC, t.at DESC OFFSET cap.most - 1 LIMIT 1
    ) AS filled
    GROUP BY asked.id
"""
_TAKE = """
    INSERT INTO campaigns_touch (channel, topic, is_reserved, at, delivery_id, customer_id)
    SELECT %s, %s, true, %s, n.id, n.customer_id FROM unnest(%s::bigint[], %s::bigint[]) AS n(id, customer_id)
    ON CONFLICT (delivery_id) DO UPDATE SET is_reserved = true, at = excluded.at
"""
# Also of those who were erased while they were reserved for, and their locks: no constraint does it.
_GIVE_BACK = """
    WITH given_back AS (
        DELETE FROM campaigns_touch AS t USING campaigns_delivery AS d
        WHERE t.delivery_id = d.id AND d.chunk_id = %s AND (d.status = ANY(%s) OR d.customer_id IS NULL)
        RETURNING t.customer_id, d.customer_id IS NULL AS is_erased
    )
    DELETE FROM campaigns_sendlock AS l USING given_back AS g
    WHERE l.customer_id = g.customer_id AND g.is_erased
"""
# What is unknown may have been taken at any moment until now. `coalesce` keeps the planner from the index
# of reservations: in the middle of a large campaign it looks empty, and holds those of all since a vacuum.
_KEEP = """
    UPDATE campaigns_touch AS t SET is_reserved = false, at = coalesce(d.sent_at, %s)
    FROM campaigns_delivery AS d
    WHERE t.delivery_id = d.id AND d.chunk_id = %s AND d.status IN ('sent', 'unknown')
        AND coalesce(t.is_reserved, false)
"""
_LAPSED = """
    UPDATE campaigns_touch AS t SET is_reserved = false, at = k.lease_until
    FROM campaigns_delivery AS d JOIN campaigns_chunk AS k ON k.id = d.chunk_id
    WHERE t.is_reserved AND t.delivery_id = d.id AND k.status = 'claimed' AND k.lease_until < %s
"""
