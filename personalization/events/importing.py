"""Events from files: unmapped columns become properties; unknown customers are created.

The message id comes from a mapped column, or from the content of the row and its occurrence number within the
file: loading the same file again, or the same rows under another file name, writes nothing twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal, TextIO

import msgspec
import numpy as np
import pyarrow as pa
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.catalog.selectors import ids_by_external
from personalization.catalog.services import ensure_items
from personalization.customers.services import resolve
from personalization.events.occurrences import OccurrenceCounter, content_key
from personalization.events.services import NewEvent, record_events
from personalization.importing import values as cells
from personalization.importing.pipeline import Counts, Importer, Written, load_rows
from personalization.importing.reading import plain, read_batches
from personalization.importing.values import RowError

UnknownItems = Literal["reject", "create"]


@dataclass(frozen=True, slots=True)
class EventRecord:
    customer: str
    name: str
    occurred_at: datetime
    item: str
    value: Decimal | None
    message_id: str
    properties: dict[str, Any]


class EventImporter(Importer[EventRecord]):
    """`event`: the name of all events of a file that has no such column; then that column is not required."""

    name = "events"
    fields: Mapping[str, tuple[str, ...]] = {
        "customer": ("customer_id", "user_id", "external_id"),
        "event": ("event name", "type"),
        "occurred_at": ("timestamp", "time", "date", "created_at"),
        "item": ("item_id", "product_id", "sku"),
        "value": ("revenue", "amount", "total", "price"),
        "message_id": ("event_id",),
    }
    required: Sequence[str] = ("customer", "occurred_at", "event")

    def __init__(
        self, *, event: str | None = None, unknown_items: UnknownItems = "reject", zone: tzinfo = UTC
    ) -> None:
        self.event = cells.text(event, name="event")
        if self.event:
            self.required = ("customer", "occurred_at")
            self.fields = {name: usual for name, usual in self.fields.items() if name != "event"}
        self.unknown_items = unknown_items
        self.zone = zone
        self.received_at = timezone.now()
        self.seen = OccurrenceCounter()
        self.item_ids: dict[str, int] = {}

    def convert(self, values: dict[str, Any], others: dict[str, Any]) -> EventRecord:
        return EventRecord(
            cells.text(values["customer"], name="customer"),
            self.event or cells.text(values["event"], name="event"),
            cells.moment(values["occurred_at"], zone=self.zone, name="occurred_at"),
            cells.text(values.get("item"), name="item"),
            cells.money(values.get("value")),
            cells.text(values.get("message_id"), limit=10_000, name="message_id"),
            {name: plain(value) for name, value in others.items() if value is not None},
        )

    def write(self, records: Sequence[EventRecord]) -> Written:
        written = Written()
        message_ids = self._message_ids(records)
        self._find_items(records)
        taken = [
            (record, message_id)
            for record, message_id in zip(records, message_ids, strict=True)
            if not record.item or record.item in self.item_ids
        ]
        if len(taken) < len(records):
            reason = _("the item is not in the catalog")
            written.rejects = [
                (position, reason)
                for position, record in enumerate(records)
                if record.item and record.item not in self.item_ids
            ]
        first = min((record.occurred_at for record, _id in taken), default=self.received_at)
        customers = resolve(
            user_ids={record.customer for record, _id in taken}, at=min(first, self.received_at)
        ).users
        written.new = record_events(
            [
                NewEvent(
                    customers[record.customer], message_id, record.name, record.occurred_at,
                    self.item_ids.get(record.item), record.value, record.properties,
                )
                for record, message_id in taken
            ],
            # Not the beginning of the file: reports take what was received an hour ago for committed.
            received_at=timezone.now(),
        )  # fmt: skip
        return written

    def _message_ids(self, records: Sequence[EventRecord]) -> list[str]:
        contents = [
            b"" if record.message_id else msgspec.json.encode(record, enc_hook=str, order="sorted")
            for record in records
        ]
        keys = np.array([content_key(content) for content in contents], dtype=np.uint64)
        numbers = self.seen.number(keys)
        return [
            record.message_id or f"{content.decode()}#{number}"
            for record, content, number in zip(records, contents, numbers.tolist(), strict=True)
        ]

    def _find_items(self, records: Sequence[EventRecord]) -> None:
        missing = {record.item for record in records if record.item} - self.item_ids.keys()
        if not missing:
            return
        if self.unknown_items == "create":
            ensure_items(missing)
        self.item_ids |= ids_by_external(missing)


def load_batches(
    batches: Iterable[pa.RecordBatch | pa.Table],
    *,
    columns: Mapping[str, Sequence[str]] | None = None,
    event: str | None = None,
    unknown_items: UnknownItems = "reject",
    zone: tzinfo = UTC,
    rejects: TextIO | None = None,
) -> Counts:
    """Events from Arrow data that the caller reads or makes; as `manage.py load events` does from a file.

    `columns`: field → column names. Raises UnknownColumn.
    """
    importer = EventImporter(event=event, unknown_items=unknown_items, zone=zone)
    return load_rows(importer, read_batches(batches), columns=columns, rejects=rejects)


__all__ = ["EventImporter", "EventRecord", "RowError", "load_batches"]
