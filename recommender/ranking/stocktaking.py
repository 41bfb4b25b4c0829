"""The catalog as it is now: every row is read once, then only those that were written since."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.backends.utils import CursorWrapper

from personalization.catalog.models import Item
from recommender.ranking.assortment import Assortment, assortment_of, cents_of

# Every row names the transaction that wrote it, whoever did so and by whatever means. Those below the oldest
# one that ran at a snapshot were finished then: what changed after it is never below. Deletions show in the
# count.
CHANGES_QUERY = f"""
    SELECT (SELECT oid::bigint FROM pg_database WHERE datname = current_database()), count(*),
           array_agg(id) FILTER (WHERE age(xmin) <= age(%s::xid8::xid)),
           pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
           pg_current_xact_id_if_assigned() IS NULL
    FROM {Item._meta.db_table}
"""  # noqa: S608  (a constant)
ITEMS_QUERY = f"""
    SELECT id, array_to_json(categories)::text, brand, (price * 100)::bigint,
           NOT is_hidden AND (stock IS NULL OR stock > 0)
    FROM {Item._meta.db_table} WHERE %s OR id = ANY(%s::bigint[])
"""  # noqa: S608  (a constant)
Row = tuple[str, str, int | None, bool]


@dataclass(frozen=True)
class _Taken:
    """`rows` are all items by id, `whole` and `is_shown` the same as arrays, `assortment` the shown ones;
    `since` is the oldest transaction that ran when they were read.
    """

    database: int
    since: int
    rows: dict[int, Row]
    whole: Assortment
    is_shown: npt.NDArray[np.bool_]
    assortment: Assortment


_latest: _Taken | None = None
_read_at = float("-inf")  # monotonic
_reading = Lock()
EARLY = 0.8
# Numbers that grow: of the last reading of every row, and of each row's later writes that were seen.
_numbers = count(1)
_whole_number = 0
_writes: dict[int, int] = {}


def load_assortment(*, max_age: float = 0.0) -> Assortment:
    """What may be shown now, or was at most `max_age` seconds ago; the same object while nothing changed."""
    if not max_age:
        return _load()
    known, age = _latest, time.monotonic() - _read_at
    if known is None or age > max_age:
        with _reading:  # after a pause many ask at once: the first one reads it for all
            known = _latest
            return known.assortment if known and time.monotonic() - _read_at <= max_age else _load()
    if age > EARLY * max_age and _reading.acquire(blocking=False):
        # One reads it anew a little early, so that the others need not wait for it.
        try:
            return _load()
        finally:
            _reading.release()
    return known.assortment


def _load() -> Assortment:
    global _latest, _read_at
    known, started = _latest, time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(CHANGES_QUERY, [str(known.since) if known else "3"])
        database, n_rows, changed, now, is_settled = cursor.fetchone()
        taken = None
        # A database of another name or put back from a backup has other transactions.
        if known is not None and known.database == database and known.since <= now:
            _note_writes(changed or [])
            taken = _brought_up_to_date(known, _read(cursor, changed) if changed else {}, now)
        if taken is None or len(taken.rows) != n_rows:
            _note_writes(None)
            taken = _taken(database, now, _read(cursor, None))
    # What this transaction itself wrote may yet be taken back.
    if is_settled:
        _latest, _read_at = taken, started
    return taken.assortment


def write_numbers(item_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Of each item what is another as soon as a stocktaking sees that its row was written, in whatever
    column: whoever keeps a row with the number of before reading it knows when to read it again.
    """
    return {item: (_whole_number, _writes.get(item, 0)) for item in item_ids}


def _note_writes(item_ids: list[int] | None) -> None:
    """None: any of them."""
    global _whole_number
    if item_ids is None:
        _whole_number = next(_numbers)
        _writes.clear()
    else:
        _writes.update((item, next(_numbers)) for item in item_ids)


def forget() -> None:
    """The next one reads everything."""
    global _latest, _read_at
    _latest, _read_at = None, float("-inf")


def _read(cursor: CursorWrapper, item_ids: list[int] | None) -> dict[int, Row]:
    """All of them for None."""
    cursor.execute(ITEMS_QUERY, [item_ids is None, item_ids or []])
    return {row[0]: row[1:] for row in cursor.fetchall()}


def _taken(database: int, since: int, rows: dict[int, Row]) -> _Taken:
    whole = assortment_of((item, *rows[item][:3]) for item in sorted(rows))
    is_shown = np.array([rows[item][3] for item in whole.item_ids.tolist()], dtype=np.bool_)
    return _Taken(database, since, rows, whole, is_shown, whole.only(is_shown))


def _brought_up_to_date(known: _Taken, rows: dict[int, Row], since: int) -> _Taken:
    new = {item: row for item, row in rows.items() if known.rows.get(item) != row}
    if not new:
        return replace(known, since=since)
    merged = {**known.rows, **new}
    if any(item not in known.rows or known.rows[item][:2] != row[:2] for item, row in new.items()):
        return _taken(known.database, since, merged)
    # Mostly stock and prices change: the shelves stay.
    at = known.whole.places(list(new))
    cents = _with(known.whole.cents, at, (cents_of(row[2]) for row in new.values()))
    whole = replace(known.whole, cents=cents)
    is_shown = _with(known.is_shown, at, (row[3] for row in new.values()))
    return _Taken(known.database, since, merged, whole, is_shown, whole.only(is_shown))


def _with(values: npt.NDArray[Any], at: npt.NDArray[np.int64], new: Iterable[int]) -> npt.NDArray[Any]:
    changed = values.copy()
    changed[at] = list(new)
    return changed
