"""Events of customers who are known: locked, found, deduplicated and written by one statement, in one trip.

Nearly all calls go this way: what they cost are the trips to PostgreSQL and what is made for each row.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec
import psycopg
from django.db import connection

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.messages import Message
from personalization.events.models import Event
from personalization.events.services import hex_key

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Received(NamedTuple):
    """The messages of one call, all of them with a user id."""

    at: datetime
    messages: Sequence[Message]


def write_known(calls: Sequence[Received]) -> set[str]:
    """Writes the events of those customers that exist and that nobody is about to erase or to merge away;
    answers the ids of the others, whose events are not written. What is there already stays as it is.

    The customers are locked: an erasure that comes meanwhile waits. Nobody waits for a customer here, so
    that calls which are written together never wait for what only one of them is about.
    """
    messages = [m for call in calls for m in call.messages]
    rows = [(m, o) for m in messages for o in m.occurrences]
    # One object serves all messages of a client in one call.
    contexts = {id(m.context): (m.context, call.at) for call in calls for m in call.messages}
    places = {name: str(place) for place, name in enumerate(contexts, start=1)}
    given = {
        "users": _array(map(_cell, {m.user_id for m in messages})),
        "items": _array(map(_cell, {o.item for _, o in rows if o.item})),
        "contexts": _array([_quoted(_encode(context).decode()) for context, _ in contexts.values()]),
        "received": _array([_microseconds(at) for _, at in contexts.values()]),
        "owners": _array([_cell(m.user_id) for m, _ in rows]),
        "keys": _array([hex_key(o.message_id) for _, o in rows]),
        "names": _array([_cell(o.name) for _, o in rows]),
        "things": _array([_cell(o.item) for _, o in rows]),
        "values": _array(["NULL" if o.value is None else str(o.value) for _, o in rows]),
        "properties": _array([_quoted(_encode(o.properties).decode()) for _, o in rows]),
        "places": _array([places[id(m.context)] for m, _ in rows]),
        "times": _array([_microseconds(m.occurred_at) for m, _ in rows]),
    }
    connection.ensure_connection()
    # The driver's own cursor: Django's never prepares a query.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_WRITE, given)
        return {name for (name,) in cursor.fetchall()}


def _array(cells: Iterable[str]) -> str:
    """As PostgreSQL reads an array: the driver's own way looks at each value and costs thrice."""
    return f"{{{','.join(cells)}}}"


def _microseconds(moment: datetime) -> str:
    """Since 1970: both sides read and write a number far sooner than a date."""
    return str((moment - _EPOCH) // _MICROSECOND)


def _quoted(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return '"' + text.replace('"', '\\"') + '"'


_cell = lru_cache(maxsize=16_384)(_quoted)

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_WRITE = f"""
    WITH locked AS MATERIALIZED (
        SELECT external_id, id FROM {Customer._meta.db_table}
        WHERE external_id = ANY(%(users)s::text[]) ORDER BY id FOR KEY SHARE SKIP LOCKED
    ), known AS MATERIALIZED (
        SELECT external_id, id FROM {Item._meta.db_table} WHERE external_id = ANY(%(items)s::text[])
    ), written AS (
        INSERT INTO {Event._meta.db_table}
            (customer_id, message_key, name, item_id, value, properties, context, occurred_at, received_at)
        SELECT locked.id, n.k, n.n, known.id, n.v, n.p, (%(contexts)s::jsonb[])[n.x],
            timestamptz 'epoch' + n.o * interval '1 microsecond',
            timestamptz 'epoch' + (%(received)s::bigint[])[n.x] * interval '1 microsecond'
        FROM unnest(
            %(owners)s::text[], %(keys)s::uuid[], %(names)s::text[], %(things)s::text[],
            %(values)s::numeric[], %(properties)s::jsonb[], %(places)s::int[], %(times)s::bigint[]
        ) WITH ORDINALITY AS n(u, k, n, i, v, p, x, o, place)
        JOIN locked ON locked.external_id = n.u LEFT JOIN known ON known.external_id = n.i
        ORDER BY locked.id, n.k, n.place
        ON CONFLICT (customer_id, message_key) DO NOTHING
    )
    SELECT u FROM unnest(%(users)s::text[]) AS u
    WHERE NOT EXISTS (SELECT FROM locked WHERE locked.external_id = u)
""".encode()  # noqa: S608  (only names of our own models)
