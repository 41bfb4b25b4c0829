"""Events as columns, straight out of PostgreSQL: what training reads."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection

from personalization.importing.prepared import Query, array, read_array, text

ROWS_PER_BLOCK = 50_000
# What an event says about the device; a model keeps these words, and serving names the same.
DEVICES = ("unknown", "mobile", "tablet", "desktop", "ios", "android", "tv")
PAIR = {"customer": ">i8", "item": ">i8", "at": ">i8"}
CONTEXT = {"hour": ">i8", "weekday": ">i8", "quarter": ">i8", "device": ">i8"}

_HEADER_BYTES = 19
_ASKED = """event.name = ANY(%(names)s)
      AND (%(until)s::timestamptz IS NULL OR event.occurred_at < %(until)s)"""
_FROM = f"""
    FROM events_event event JOIN catalog_item item ON item.id = event.item_id
    {{joined}} WHERE {_ASKED}
"""
_PAIR_COLUMNS = """event.customer_id::bigint, event.item_id::bigint,
    extract(epoch FROM event.occurred_at)::bigint"""
_EVENT_COLUMNS = _PAIR_COLUMNS + ", array_position(%(names)s::text[], event.name::text)::bigint"
EVENTS_QUERY = f"SELECT {_EVENT_COLUMNS} {_FROM.format(joined='')}"
# A name that is no time zone would be an error, so only those the server knows are used.
_LOCAL = "event.occurred_at AT TIME ZONE coalesce(zone.name, %(zone)s)"
CONTEXT_QUERY = f"""
    WITH zones AS MATERIALIZED (SELECT name FROM pg_timezone_names)
    SELECT {_EVENT_COLUMNS}, extract(hour FROM {_LOCAL})::bigint, extract(isodow FROM {_LOCAL})::bigint,
           extract(quarter FROM {_LOCAL})::bigint,
           coalesce(array_position(%(devices)s::text[], lower(event.context->'device'->>'type')) - 1,
                    0)::bigint
    {_FROM.format(joined="LEFT JOIN zones zone ON zone.name = event.context->>'timezone'")}
"""  # noqa: S608  (only constants of this file)
_OF_CUSTOMERS = " AND event.customer_id = ANY(%(customers)s)"
HISTORY_QUERY = EVENTS_QUERY + _OF_CUSTOMERS
# The same by the index of each customer, whatever the planner thinks (OFFSET 0 is a fence): where those
# asked for are a large share of all who bought, it would read all purchases, with parallel workers for each
# of the processes that do the same.
HISTORIES_QUERY = f"""
    SELECT {_EVENT_COLUMNS} FROM (
        SELECT one.* FROM unnest(%(customers)s::bigint[]) AS asked (id) CROSS JOIN LATERAL (
            SELECT * FROM events_event event WHERE event.customer_id = asked.id AND {_ASKED} OFFSET 0
        ) one OFFSET 0
    ) event JOIN catalog_item item ON item.id = event.item_id
"""  # noqa: S608  (only constants of this file)
_NUMBER = r"^\s*-?[0-9]{1,9}(\.[0-9]{1,9})?\s*$"
RATINGS_QUERY = f"""
    SELECT {_PAIR_COLUMNS}, rated.rating
    {
    _FROM.format(
        joined='''CROSS JOIN LATERAL (
        SELECT CASE WHEN event.properties->>'rating' ~ %(number)s
                    THEN (event.properties->>'rating')::double precision
                    ELSE event.value::double precision END AS rating
    ) rated'''
    )
}
      AND rated.rating IS NOT NULL
"""
RATED_HISTORY_QUERY = RATINGS_QUERY + _OF_CUSTOMERS


def copy_out(
    query: str,
    kinds: Mapping[str, str],
    *,
    names: Sequence[str] = (),
    until: datetime | None = None,
    **more: Any,
) -> dict[str, npt.NDArray[Any]]:
    """Binary COPY into numpy: no Python object per row.

    `kinds` names the columns of the query, each of 8 bytes, with numpy's type, high byte first; `more` are
    further parameters of the query.
    """
    # One row of the answer: field count, then length and value of each.
    row = np.dtype(
        [("fields", ">i2")] + [p for name in kinds for p in ((f"{name}_n", ">i4"), (name, kinds[name]))]
    )
    blocks: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in kinds}
    pending, n_rows = bytearray(), 0
    asked = _asked(names, until=until, **more)
    connection.ensure_connection()
    # The driver's own cursor: Django's, when it logs queries (DEBUG), takes no parameters for COPY.
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)", asked) as copy,
    ):
        header = _HEADER_BYTES
        for data in copy:
            pending += data
            n_rows += 1
            if n_rows % ROWS_PER_BLOCK == 0:
                header = _take(pending, header, row, blocks)
        _take(pending, header, row, blocks)
    return {name: np.concatenate(parts) for name, parts in blocks.items()}


def select_out(
    query: str, kinds: Mapping[str, str], *, names: Sequence[str] = (), **more: Any
) -> dict[str, npt.NDArray[Any]]:
    """The same for few rows, of which each would cost a COPY more than its whole query."""
    asked, parameters = _gathered(query, tuple(kinds))
    given = _asked(names, **more)
    found = asked.run(*(_written(given[name]) for name in parameters))
    return {
        name: read_array(found.get_value(0, at), kind).astype(_plain(name, np.dtype(kind)), copy=False)
        for at, (name, kind) in enumerate(kinds.items())
    }


@cache
def _gathered(query: str, kinds: tuple[str, ...]) -> tuple[Query, tuple[str, ...]]:
    """One row, with each column as an array; and the names of its parameters."""
    parameters = tuple(dict.fromkeys(re.findall(r"%\((\w+)\)s", query)))
    numbered = query % {name: f"${at}" for at, name in enumerate(parameters, start=1)}
    arrays = ", ".join(f"array_agg({name})" for name in kinds)
    sql = f"SELECT {arrays} FROM ({numbered}) AS found ({', '.join(kinds)})"  # noqa: S608  (constants)
    return Query(f"columns_{sha256(sql.encode()).hexdigest()[:16]}", sql, binary=True), parameters


def _written(value: Any) -> bytes | None:
    if value is None or isinstance(value, str):
        return None if value is None else text(value)
    return array(value) if isinstance(value, list) else b"t" if value else b"f"


def _asked(names: Sequence[str], *, until: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {
        "names": list(names), "until": until, "number": _NUMBER,
        "zone": settings.TIME_ZONE, "devices": list(DEVICES), **more,
    }  # fmt: skip


def _plain(name: str, kind: np.dtype[Any]) -> np.dtype[Any]:
    """How a column is kept: what says little takes half of the room."""
    is_small = name not in PAIR and kind.kind == "i"
    return np.dtype(np.int32) if is_small else kind.newbyteorder("=")


def _take(
    pending: bytearray, header: int, row: np.dtype[Any], blocks: dict[str, list[npt.NDArray[Any]]]
) -> int:
    """Moves the whole rows of `pending` into arrays, leaves the rest; answers the header bytes still to
    skip.
    """
    if len(pending) < header:
        return header
    whole = (len(pending) - header) // row.itemsize
    rows = np.frombuffer(bytes(pending[header : header + whole * row.itemsize]), dtype=row)
    for name, parts in blocks.items():
        parts.append(rows[name].astype(_plain(name, rows[name].dtype)))
    del pending[: header + whole * row.itemsize]
    return 0
