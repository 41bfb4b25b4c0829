"""Events from files: unmapped columns become properties; unknown customer ids and visitors are created.

A row is for its customer id, else for whom its e-mail or phone belongs to, else for the visitor of its
anonymous id, by the identity rules of what comes in over HTTP.

The message id comes from a mapped column, or from the content of the row and its occurrence number within the
file: loading the same file again, or the same rows under another file name, writes nothing twice.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.catalog.selectors import ids_by_external
from personalization.catalog.services import ensure_items
from personalization.customers.errors import InvalidTraits
from personalization.customers.import_owners import find_people
from personalization.customers.services import resolve
from personalization.customers.traits import clean_json
from personalization.events.occurrences import OccurrenceCounter, content_keys
from personalization.events.writing import EventRows, write_rows
from personalization.importing import columns as plain_columns
from personalization.importing import values as cells
from personalization.importing.arrow import pc
from personalization.importing.blocks import read_batches
from personalization.importing.columns import Plain, as_array
from personalization.importing.pipeline import Counts, Importer, Written, load_rows
from personalization.importing.reading import plain
from personalization.importing.rejects import Rejects
from personalization.importing.values import RowError

UnknownItems = Literal["reject", "create"]
ADDRESSES = ("email", "phone", "anonymous_id")  # by which a row without customer id is somebody's
TOLD = {"name", "customer", *ADDRESSES}
MOST_KNOWN = 100_000  # customers, and items, whose keys are remembered between blocks
SCHEMA = pa.schema([
    ("customer", pa.string()), ("name", pa.string()), ("occurred_at", pa.timestamp("us", "UTC")),
    ("item", pa.string()), ("value", pa.string()), ("message_id", pa.string()), ("properties", pa.string()),
    ("content", pa.string()), *((name, pa.string()) for name in ADDRESSES),
])  # fmt: skip


class EventImporter(Importer):
    """`event`: the name of all events of a file that has no such column; then that column is not required."""

    name = "events"
    fields: Mapping[str, tuple[str, ...]] = {
        "customer": (
            "customer_id", "user_id", "external_id", "kunde", "kundennr", "kundennummer", "客户编号",
        ),
        "event": ("event name", "type"),
        "occurred_at": ("timestamp", "time", "date", "created_at", "datum", "zeit", "时间", "日期"),
        "item": ("item_id", "product_id", "sku", "artikel", "artikelnr", "artikelnummer", "商品编号"),
        "value": ("revenue", "amount", "total", "price", "betrag", "umsatz", "montant", "金额"),
        "message_id": ("event_id",),
        "email": ("e-mail", "email address"),
        "phone": ("telephone", "mobile"),
        "anonymous_id": ("visitor_id", "cookie_id"),
    }  # fmt: skip
    required: Sequence[str] = ("occurred_at", "event")
    required_one_of = ("customer", *ADDRESSES)
    schema = SCHEMA
    remembers = True

    def __init__(
        self, *, event: str | None = None, unknown_items: UnknownItems = "reject", zone: tzinfo = UTC
    ) -> None:
        self.event = cells.text(event, name="event")
        if self.event:
            self.required = ("occurred_at",)
            self.fields = {name: usual for name, usual in self.fields.items() if name != "event"}
        self.unknown_items = unknown_items
        self.zone = zone
        self.received_at = timezone.now()
        self.seen = OccurrenceCounter()
        self.item_ids: dict[str, int] = {}
        self.customer_ids: dict[str, int] = {}
        self.all_new = True  # until a block proves otherwise

    def convert(self, values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
        amount = cells.money(values.get("value"))
        content: dict[str, Any] = {
            "customer": cells.text(values.get("customer"), name="customer"),
            "name": self.event or cells.text(values["event"], name="event"),
            "occurred_at": cells.moment(values["occurred_at"], zone=self.zone, name="occurred_at"),
            "item": cells.text(values.get("item"), name="item"),
            "value": None if amount is None else str(amount),
            "message_id": cells.text(values.get("message_id"), limit=10_000, name="message_id"),
            "properties": {name: plain(value) for name, value in others.items() if value is not None},
        }
        known_by = [cells.text(values.get(name), limit=254, name=name) for name in ADDRESSES]
        if not content["customer"]:
            if not any(known_by):
                raise RowError(_("there is no customer id, e-mail, phone or anonymous id"))
            content["known_by"] = known_by
        encoded, properties = _encoded(content)
        return {name: value for name, value in content.items() if name != "known_by"} | {
            "occurred_at": content["occurred_at"].astimezone(UTC),
            "properties": properties,
            "content": "" if content["message_id"] else encoded,
            **dict(zip(ADDRESSES, known_by, strict=True)),
        }

    def convert_plain(
        self, values: Mapping[str, pa.Array], others: Mapping[str, pa.Array], *, rows: int
    ) -> tuple[Plain, pa.Table] | None:
        nothing = pa.nulls(rows)
        named = pa.array([self.event] * rows, pa.string()) if self.event else values["event"]
        moments = plain_columns.moments(values["occurred_at"], zone=self.zone)
        found = {
            "customer": plain_columns.text(values.get("customer", nothing), limit=200),
            "name": plain_columns.text(named, limit=200),
            "item": plain_columns.text(values.get("item", nothing), limit=200),
            "value": plain_columns.money(values.get("value", nothing)),
            "message_id": plain_columns.text(values.get("message_id", nothing), limit=10_000),
            "properties": plain_columns.json_objects(others, rows=rows),
            **{name: plain_columns.text(values.get(name, nothing), limit=254) for name in ADDRESSES},
        }
        known = {name: column for name, column in found.items() if column is not None}
        if len(known) < len(found) or moments is None:
            return None
        right = np.logical_and.reduce([column.plain for column in known.values()]) & moments.plain
        some = {
            name: plain_columns.truths(pc.not_equal(known[name].values, "")) for name in known if name in TOLD
        }
        right &= some["name"] & np.logical_or.reduce([some[name] for name in self.required_one_of])
        columns = {name: column.values for name, column in known.items()}
        columns["occurred_at"] = pa.array(moments.utc).cast(pa.timestamp("us", "UTC"))
        columns["content"] = _contents(columns, plain_columns.iso_texts(moments))
        return right, pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)

    def finish(self, table: pa.Table) -> pa.Table:
        """With the 128-bit key of each message; rows without a message id are numbered over all blocks."""
        contents = as_array(table["content"]).to_pylist()
        numbers = self.seen.number(content_keys(contents)).tolist()
        keys = [
            hashlib.blake2b((f"{content}#{number}" if content else message_id).encode(), digest_size=16)
            for content, number, message_id in zip(
                contents, numbers, as_array(table["message_id"]).to_pylist(), strict=True
            )
        ]
        hexes = pa.array([key.hexdigest() for key in keys], pa.string())
        return table.drop_columns(["content", "message_id"]).append_column("message_key", hexes)

    def write(self, table: pa.Table) -> Written:
        written = Written()
        places = np.arange(table.num_rows)
        items = self._items(table)
        if (items < 0).any():
            reason = _("the item is not in the catalog")
            written.rejects = [(place, reason) for place in np.flatnonzero(items < 0).tolist()]
            kept = items >= 0
            table, items, places = table.filter(pa.array(kept)), items[kept], places[kept]
        customers, refused = self._owners(table)
        if refused:
            written.rejects += [(int(places[row]), reason) for row, reason in refused]
            kept = customers > 0
            table, items, customers = table.filter(pa.array(kept)), items[kept], customers[kept]
        if table.num_rows == 0:
            return written
        rows = EventRows(
            customer_ids=customers,
            message_keys=as_array(table["message_key"]),
            names=as_array(table["name"]),
            item_ids=pa.array(items, mask=items == 0),
            values=as_array(table["value"]),
            properties=as_array(table["properties"]),
            occurred_at=as_array(table["occurred_at"]),
        )
        # Not the beginning of the file: reports take what was received an hour ago for committed.
        written.new, self.all_new = write_rows(rows, received_at=timezone.now(), all_new=self.all_new)
        return written

    def _items(self, table: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Keys of the items; 0 where the row names none, -1 where the catalog does not know it."""
        encoded = pc.dictionary_encode(as_array(table["item"]))
        names = encoded.dictionary.to_pylist()
        missing = {name for name in names if name} - self.item_ids.keys()
        if missing:
            if len(self.item_ids) + len(missing) > MOST_KNOWN:
                self.item_ids.clear()
                missing = {name for name in names if name}
            if self.unknown_items == "create":
                ensure_items(missing)
            self.item_ids |= ids_by_external(missing)
        keys = np.array([self.item_ids.get(name, -1) if name else 0 for name in names], dtype=np.int64)
        return keys[encoded.indices.to_numpy()]

    def _owners(self, table: pa.Table) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[tuple[int, str]]]:
        """Whose each row is, 0 for those that are refused, with the reason."""
        nameless = plain_columns.truths(pc.equal(table["customer"], ""))
        if not nameless.any():
            return self._customers(table), []
        owners = np.zeros(table.num_rows, dtype=np.int64)
        if not nameless.all():
            owners[~nameless] = self._customers(table.filter(pa.array(~nameless)))
        rows = np.flatnonzero(nameless)
        found = find_people(table.take(pa.array(rows)), at=self._since(table))
        owners[rows] = found.ids
        return owners, [(int(rows[row]), reason) for row, reason in found.rejects]

    def _since(self, table: pa.Table) -> datetime:
        """Since when customers who are new are known."""
        first: datetime = pc.min(table["occurred_at"]).as_py()
        return min(first, self.received_at)

    def _customers(self, table: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
        encoded = pc.dictionary_encode(as_array(table["customer"]))
        names = encoded.dictionary.to_pylist()
        missing = set(names) - self.customer_ids.keys()
        if missing:
            if len(self.customer_ids) + len(missing) > MOST_KNOWN:
                self.customer_ids.clear()
                missing = set(names)
            self.customer_ids |= resolve(user_ids=missing, at=self._since(table)).users
        keys = np.array([self.customer_ids[name] for name in names], dtype=np.int64)
        return keys[encoded.indices.to_numpy()]


def _encoded(content: dict[str, Any]) -> tuple[str, str]:
    """Content and properties as JSON, without what PostgreSQL cannot store. Raises RowError."""
    try:
        encoded = msgspec.json.encode(content, enc_hook=str, order="sorted").decode()
        if "\\u0000" in encoded:
            raise UnicodeError
    except UnicodeError:
        try:
            content["properties"] = clean_json(content["properties"])
        except InvalidTraits as error:
            raise RowError(str(error)) from None
        encoded = msgspec.json.encode(content, enc_hook=str, order="sorted").decode()
    return encoded, msgspec.json.encode(content["properties"], enc_hook=str, order="sorted").decode()


def _contents(columns: Mapping[str, pa.Array], moments: pa.Array) -> pa.Array:
    """What `_encoded` answers, for all rows that have no message id; "" for the others."""
    value = pc.fill_null(plain_columns.json_texts(columns["value"]), "null")
    parts: list[Any] = [
        '{"customer":', plain_columns.json_texts(columns["customer"]),
        ',"item":', plain_columns.json_texts(columns["item"]), _known_by(columns),
        ',"message_id":"","name":', plain_columns.json_texts(columns["name"]),
        ',"occurred_at":"', moments, '","properties":', columns["properties"], ',"value":', value, "}",
    ]  # fmt: skip
    scalars = [pa.scalar(part) if isinstance(part, str) else part for part in parts]
    content = pc.binary_join_element_wise(*scalars, "")
    return pc.if_else(pc.equal(columns["message_id"], ""), content, "")


def _known_by(columns: Mapping[str, pa.Array]) -> pa.Array:
    """What a row without customer id is known by, as it stands in its content; "" for the others."""
    named = pc.not_equal(columns["customer"], "")
    if pc.all(named).as_py():
        return pa.scalar("")
    cells = pc.binary_join_element_wise(*(plain_columns.json_texts(columns[name]) for name in ADDRESSES), ",")
    return pc.if_else(named, "", pc.binary_join_element_wise(',"known_by":[', cells, "]", ""))


def load_batches(
    batches: Iterable[pa.RecordBatch | pa.Table],
    *,
    columns: Mapping[str, Sequence[str]] | None = None,
    event: str | None = None,
    unknown_items: UnknownItems = "reject",
    zone: tzinfo = UTC,
    rejects: Rejects | None = None,
) -> Counts:
    """Events from Arrow data that the caller reads or makes; as `manage.py load events` does from a file.

    `columns`: field → column names. Raises UnknownColumn.
    """
    importer = EventImporter(event=event, unknown_items=unknown_items, zone=zone)
    return load_rows(importer, read_batches(batches), columns=columns, rejects=rejects)
