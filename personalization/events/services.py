"""The durable write of events, each once: COPY where all are new, one statement where some may not be, a
staging table for a file."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from personalization.importing.copying import copy_rows

_encode = msgspec.json.Encoder(enc_hook=str).encode


class NewEvent(msgspec.Struct, frozen=True):
    """One event to be written. `value` is money in the shop's currency, two decimals."""

    customer_id: int
    message_id: str
    name: str
    occurred_at: datetime
    item_id: int | None = None
    value: Decimal | None = None
    properties: Mapping[str, Any] = {}
    context: Mapping[str, Any] = {}


def message_key(message_id: str) -> uuid.UUID:
    """128 bits of BLAKE2b: the same messageId always meets itself, whatever its length."""
    return uuid.UUID(bytes=_digest(message_id).digest())


def hex_key(message_id: str) -> str:
    """The same, as 32 digits."""
    return _digest(message_id).hexdigest()


def _digest(message_id: str) -> hashlib.blake2b:
    return hashlib.blake2b(message_id.encode(errors="replace"), digest_size=16)


def record_events(events: Iterable[NewEvent], *, received_at: datetime | None = None) -> int:
    """Writes events and answers how many were new; a (customer, message id) already there stays as it is.

    Joins the caller's transaction when there is one. Events of customers that no longer exist are dropped:
    the customers are locked first, so an erasure that runs at the same time either waits or has already won.
    """
    events = list(events)
    if not events:
        return 0
    rows = [_row(event) for event in events]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            _INSERT_GIVEN,
            {
                "customers": sorted({event.customer_id for event in events}),
                "rows": msgspec.json.encode(rows, enc_hook=str).decode(),
                "received_at": received_at or timezone.now(),
            },
        )
        return cursor.rowcount


def copy_events(events: Sequence[NewEvent], *, received_at: datetime) -> None:
    """Writes events in a third of the time that `record_events` takes, where all of them are new.

    The caller has locked the customers, as `customers.resolve` does, and begins its transaction anew where
    one of the events is there already: raises IntegrityError.
    """
    received = received_at.isoformat()
    contexts: dict[int, str] = {}  # one object serves all messages of a client, as they are read
    lines: dict[tuple[int, str], str] = {}
    for event in events:
        if (context := contexts.get(id(event.context))) is None:
            context = contexts[id(event.context)] = _json_cell(event.context)
        key = _digest(event.message_id).hexdigest()
        if (event.customer_id, key) not in lines:
            lines[event.customer_id, key] = (
                f"{event.customer_id}\t{key}\t{_escape(event.name)}\t{event.item_id or ''}\t"
                f"{'' if event.value is None else event.value}\t{_json_cell(event.properties)}\t{context}\t"
                f"{event.occurred_at.isoformat()}\t{received}\n"
            )
    if lines:
        # In the order of the key, for the index and so that two writers of the same events do not deadlock.
        copy_rows("events_event", _COPIED, "".join([lines[key] for key in sorted(lines)]).encode(), null="")


def _json_cell(value: Mapping[str, Any]) -> str:
    """As COPY reads it: JSON holds no tab and no line end, but backslashes."""
    return _encode(value).decode().replace("\\", "\\\\")


@lru_cache(maxsize=4096)
def _escape(name: str) -> str:
    for letter, written in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        name = name.replace(letter, written)
    return name


def insert_incoming(*, received_at: datetime) -> int:
    """From the staging table to the events, inside the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CUSTOMERS)
        cursor.execute(_INSERT_NEW, [received_at])
        written = cursor.rowcount
        # The table empties itself at commit; a second call in the same transaction must not meet these rows.
        cursor.execute("DELETE FROM events_incoming")
    return written


def _row(event: NewEvent) -> dict[str, object]:
    return {
        "c": event.customer_id, "k": _digest(event.message_id).hexdigest(), "n": event.name,
        "i": event.item_id,
        "v": event.value, "p": event.properties, "x": event.context, "o": event.occurred_at,
    }  # fmt: skip


# One statement, for a call brings a few hundred events at most: what it costs are the trips to the server.
# In order of the ids, so that two calls with the same customers wait for one another and never in a circle.
_INSERT_GIVEN = """
    WITH locked AS MATERIALIZED (
        SELECT c.id FROM customers_customer AS c WHERE c.id = ANY(%(customers)s) ORDER BY c.id FOR KEY SHARE
    )
    INSERT INTO events_event
        (customer_id, message_key, name, item_id, value, properties, context, occurred_at, received_at)
    SELECT n.c, n.k, n.n, n.i, n.v, n.p, n.x, n.o, %(received_at)s
    FROM json_to_recordset(%(rows)s::json) AS n(
        c bigint, k uuid, n text, i bigint, v numeric(14, 2), p jsonb, x jsonb, o timestamptz
    ) JOIN locked ON locked.id = n.c
    ORDER BY n.c, n.k
    ON CONFLICT (customer_id, message_key) DO NOTHING
"""
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
_COPIED = (*INCOMING_COLUMNS, "received_at")
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


def mark_events(
    customer_id: int, *, names: Sequence[str], since: datetime, having: Mapping[str, Any],
    marks: Mapping[str, Any],
) -> int:  # fmt: skip
    """Adds `marks` to the properties of a customer's events; the one change that an event may see, for what
    only later events show: that a visit was a machine's. `having`: properties the events must have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_event SET properties = properties || %s::jsonb WHERE customer_id = %s"
            " AND name = ANY(%s) AND occurred_at >= %s AND properties @> %s::jsonb",
            [
                msgspec.json.encode(marks).decode(), customer_id, list(names), since,
                msgspec.json.encode(having).decode(),
            ],
        )  # fmt: skip
        return cursor.rowcount
