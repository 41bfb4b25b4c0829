"""Many events at once, as columns: straight into the table where all are new, else by a staging table."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import connection, transaction

from personalization.events.services import CREATE_INCOMING, INCOMING_COLUMNS, insert_incoming
from personalization.importing.arrow import pc
from personalization.importing.copying import copy_new_rows, copy_rows, copy_text


@dataclass(frozen=True)
class EventRows:
    """Columns of one length. `message_keys`: hex of the 128-bit hash; `values`: text with two decimals."""

    customer_ids: np.ndarray[Any, np.dtype[np.int64]]
    message_keys: pa.Array
    names: pa.Array
    item_ids: pa.Array
    values: pa.Array
    properties: pa.Array
    occurred_at: pa.Array

    def take(self, positions: np.ndarray[Any, np.dtype[np.int64]]) -> "EventRows":
        chosen = pa.array(positions)
        taken = {
            field.name: getattr(self, field.name).take(positions if field.name == "customer_ids" else chosen)
            for field in fields(self)
        }
        return EventRows(**taken)

    def copy_text(self, *more: str) -> memoryview:
        return copy_text([
            pc.cast(pa.array(self.customer_ids), pa.string()), self.message_keys, self.names,
            pc.cast(self.item_ids, pa.string()), self.values, self.properties, "{}",
            pc.binary_join_element_wise(
                pc.cast(pc.cast(self.occurred_at, pa.timestamp("us")), pa.string()), "+00", ""
            ),
            *more,
        ])  # fmt: skip


def write_rows(rows: EventRows, *, received_at: datetime, all_new: bool) -> tuple[int, bool]:
    """Writes what is not there yet; answers how many were new, and whether all of them were.

    `all_new`: what the caller expects. Events of customers that no longer exist are dropped; joins the
    caller's transaction, with the same locks as `services.record_events`.
    """
    rows = _once(rows)
    with transaction.atomic():
        if all_new and _lock_all(np.unique(rows.customer_ids)):
            columns = [*INCOMING_COLUMNS, "received_at"]
            if copy_new_rows("events_event", columns, rows.copy_text(received_at.isoformat())):
                return len(rows.customer_ids), True
        with connection.cursor() as cursor:
            cursor.execute(CREATE_INCOMING)
        copy_rows("events_incoming", INCOMING_COLUMNS, rows.copy_text())
        return insert_incoming(received_at=received_at), False


def _once(rows: EventRows) -> EventRows:
    """In the order of the primary key; the first row of each key."""
    order = np.asarray(
        pc.sort_indices(
            pa.table({"customer": rows.customer_ids, "key": rows.message_keys}),
            sort_keys=[("customer", "ascending"), ("key", "ascending")],
        )
    )
    owners = rows.customer_ids[order]
    keys = rows.message_keys.take(pa.array(order))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (owners[1:] == owners[:-1]) & np.asarray(pc.equal(keys[1:], keys[:-1]))
    if not same.any():
        return rows.take(order)
    # Equal keys lie in any order: of each the one that stands first in the file is kept.
    starts = np.flatnonzero(~same)
    return rows.take(np.minimum.reduceat(order, starts))


def _lock_all(customer_ids: np.ndarray[Any, np.dtype[np.int64]]) -> bool:
    """Keeps these customers from being erased or merged until the end; False when one is gone already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT c.id FROM customers_customer AS c WHERE c.id = ANY(%s)"
            " ORDER BY c.id FOR KEY SHARE) AS locked",
            [customer_ids.tolist()],
        )
        return cursor.fetchone()[0] == len(customer_ids)
