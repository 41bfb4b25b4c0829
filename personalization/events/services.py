"""The one durable write of events: COPY to a temporary table, then INSERT … ON CONFLICT DO NOTHING."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone


@dataclass(frozen=True)
class NewEvent:
    """One event to be written. `value` is money in the shop's currency, two decimals."""

    customer_id: int
    message_id: str
    name: str
    occurred_at: datetime
    item_id: int | None = None
    value: Decimal | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)


def message_key(message_id: str) -> uuid.UUID:
    """128 bits of BLAKE2b: the same messageId always meets itself, whatever its length."""
    return uuid.UUID(bytes=hashlib.blake2b(message_id.encode(errors="replace"), digest_size=16).digest())


def record_events(events: Sequence[NewEvent], *, received_at: datetime | None = None) -> int:
    """Writes events and answers how many were new; a (customer, message id) already there stays as it is.

    Joins the caller's transaction when there is one. Events of customers that no longer exist are dropped:
    the customers are locked first, so an erasure that runs at the same time either waits or has already won.
    """
    if not events:
        return 0
    received_at = received_at or timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CREATE_INCOMING)
        with cursor.copy(_COPY_INCOMING) as copy:
            for event in events:
                copy.write_row(_row(event))
        return insert_incoming(received_at=received_at)


def insert_incoming(*, received_at: datetime) -> int:
    """From the staging table to the events, inside the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CUSTOMERS)
        cursor.execute(_INSERT_NEW, [received_at])
        written = cursor.rowcount
        # The table empties itself at commit; a second call in the same transaction must not meet these rows.
        cursor.execute("DELETE FROM events_incoming")
    return written


def _row(event: NewEvent) -> tuple[object, ...]:
    return (
        event.customer_id, message_key(event.message_id), event.name, event.item_id, event.value,
        msgspec.json.encode(event.properties, enc_hook=str).decode(),
        msgspec.json.encode(event.context, enc_hook=str).decode(), event.occurred_at,
    )  # fmt: skip


# Made once per connection and emptied at every commit: a table made per call would bloat the catalogs.
CREATE_INCOMING = """
    CREATE TEMPORARY TABLE IF NOT EXISTS events_incoming (
        customer_id bigint NOT NULL, message_key uuid NOT NULL, name text NOT NULL, item_id bigint,
        value numeric(14, 2), properties jsonb NOT NULL, context jsonb NOT NULL,
        occurred_at timestamptz NOT NULL
    ) ON COMMIT DELETE ROWS
"""
INCOMING_COLUMNS = (
    "customer_id", "message_key", "name", "item_id", "value", "properties", "context", "occurred_at",
)  # fmt: skip
_COPY_INCOMING = f"COPY events_incoming ({', '.join(INCOMING_COLUMNS)}) FROM STDIN"
# In order of the ids, so that two batches with the same customers wait for one another and never in a circle.
_LOCK_CUSTOMERS = """
    SELECT c.id FROM customers_customer AS c
    WHERE c.id IN (SELECT customer_id FROM events_incoming) ORDER BY c.id FOR KEY SHARE
"""
_INSERT_NEW = """
    INSERT INTO events_event
        (customer_id, message_key, name, item_id, value, properties, context, occurred_at, received_at)
    SELECT n.customer_id, n.message_key, n.name, n.item_id, n.value, n.properties, n.context,
        n.occurred_at, %s
    FROM events_incoming AS n
    WHERE EXISTS (SELECT FROM customers_customer AS c WHERE c.id = n.customer_id)
    ORDER BY n.customer_id, n.message_key
    ON CONFLICT (customer_id, message_key) DO NOTHING
"""
