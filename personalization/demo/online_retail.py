"""Loads Online Retail (UCI), a British gift shop's year with 541,909 lines, as it would come from a shop.

A line is one `Order Line` of its customer, on an invoice that begins with C one `Order Line Canceled`, with
quantity times price as value: below nothing where goods went back. Lines without a customer belong to a
guest, one per invoice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection
from django.db.models import Count, Q, Sum

from personalization.catalog.importing import ItemImporter
from personalization.context.countries import code_of
from personalization.customers.importing import CustomerImporter
from personalization.demo.errors import LoadError
from personalization.demo.telling import Say, require_all_taken
from personalization.events.importing import load_batches
from personalization.events.models import Event
from personalization.importing.arrow import pc
from personalization.importing.blocks import read_batches
from personalization.importing.columns import as_array
from personalization.importing.pipeline import load_rows

BOUGHT, CANCELED = "Order Line", "Order Line Canceled"
BATCH_ROWS = 50_000
NEEDED = (
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country",
)  # fmt: skip
NAMELESS = "Unknown"
LINE_COLUMNS = {
    "customer": ["customer"], "event": ["event"], "occurred_at": ["InvoiceDate"], "item": ["StockCode"],
    "value": ["value"],
}  # fmt: skip


@dataclass(frozen=True)
class OnlineRetail:
    """The file; `lines` keeps only the first so many (tests), None all."""

    path: Path
    lines: int | None = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        left = self.lines
        for batch in self._open().iter_batches(batch_size=BATCH_ROWS):
            if left is not None:
                batch = batch.slice(0, left)
                left -= batch.num_rows
            if batch.num_rows:
                yield batch

    def check(self) -> None:
        """Raises LoadError where the file is not there or lacks a column."""
        missing = [name for name in NEEDED if name not in self._open().schema_arrow.names]
        if missing:
            raise LoadError(f"{self.path} lacks the columns {', '.join(missing)}.")

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.path)
        except (OSError, pa.ArrowInvalid) as error:
            raise LoadError(f"{self.path} cannot be read: {error}") from error


@dataclass(frozen=True)
class Totals:
    """`value`: money in the shop's currency, what was canceled taken off."""

    lines: int
    canceled: int
    customers: int
    guests: int
    value: Decimal


def load(shop: OnlineRetail, *, say: Say) -> Totals:
    """Loads everything, and compares what is there with the file. Loading twice adds nothing.

    Raises LoadError where a row was refused, or lines, customers or money are not those of the file.
    """
    shop.check()
    require_all_taken(say, "products", load_rows(ItemImporter(), read_batches([_items(shop)])))
    require_all_taken(say, "customers", load_rows(CustomerImporter(), read_batches([_customers(shop)])))
    require_all_taken(say, "lines", load_batches(_lines(shop), columns=LINE_COLUMNS))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event, customers_customer, catalog_item")
    expected, found = read_totals(shop), loaded_totals()
    if found != expected:
        raise LoadError(f"The file holds {expected}, the database {found}.")
    return found


def read_totals(shop: OnlineRetail) -> Totals:
    """Counted from the file, digit by digit, by none of the ways by which it is loaded."""
    lines = canceled = 0
    known: set[int] = set()
    guests: set[str] = set()
    value = Decimal(0)
    for batch in shop.batches():
        lines += batch.num_rows
        columns = (batch[name].to_pylist() for name in ("InvoiceNo", "CustomerID", "Quantity", "UnitPrice"))
        for invoice, customer, quantity, price in zip(*columns, strict=True):
            canceled += invoice.startswith("C")
            value += (Decimal(str(price)) * quantity).quantize(Decimal("0.01"))
            if customer is None:
                guests.add(invoice)
            else:
                known.add(customer)
    return Totals(lines, canceled, len(known), len(guests), value)


def loaded_totals() -> Totals:
    lines = Event.objects.filter(name__in=(BOUGHT, CANCELED), properties__has_key="InvoiceNo")
    guest = Q(customer__external_id__startswith="guest-")
    found = lines.aggregate(
        lines=Count("*"),
        canceled=Count("customer_id", filter=Q(name=CANCELED)),
        customers=Count("customer", filter=~guest, distinct=True),
        guests=Count("customer", filter=guest, distinct=True),
        value=Sum("value"),
    )
    return Totals(**found | {"value": found["value"] or Decimal(0)})


def _lines(shop: OnlineRetail) -> Iterator[pa.RecordBatch]:
    for batch in shop.batches():
        invoices = as_array(batch["InvoiceNo"])
        event = pc.if_else(pc.starts_with(invoices, "C"), CANCELED, BOUGHT)
        value = pa.array(np.rint(batch["Quantity"].to_numpy() * batch["UnitPrice"].to_numpy() * 100) / 100)
        kept = [name for name in batch.schema.names if name not in ("CustomerID", "Country")]
        yield pa.RecordBatch.from_arrays(
            [*(batch[name] for name in kept), _owners(batch), event, value],
            names=[*kept, "customer", "event", "value"],
        )


def _owners(batch: pa.RecordBatch) -> pa.Array:
    guests = pc.binary_join_element_wise("guest-", as_array(batch["InvoiceNo"]), "")
    return pc.coalesce(pc.cast(batch["CustomerID"], pa.string()), guests)


def _items(shop: OnlineRetail) -> pa.RecordBatch:
    """Called by their most frequent description; the price is the one of the last line."""
    names: dict[str, Counter[str]] = defaultdict(Counter)
    prices: dict[str, float] = {}
    for batch in shop.batches():
        columns = (batch[name].to_pylist() for name in ("StockCode", "Description", "UnitPrice"))
        for code, description, price in zip(*columns, strict=True):
            names[code][description if description != NAMELESS else ""] += 1
            if price > 0:
                prices[code] = price
    called = {code: _most_frequent(found) for code, found in names.items()}
    return pa.record_batch(
        {
            "external_id": pa.array(list(called), pa.string()),
            "name": pa.array([name or code for code, name in called.items()], pa.string()),
            "price": pa.array([prices.get(code) for code in called], pa.float64()),
        }
    )


def _most_frequent(found: Counter[str]) -> str:
    return max(found, key=lambda name: (bool(name), found[name], name))


def _customers(shop: OnlineRetail) -> pa.RecordBatch:
    """With the country of their last line, and known since their first."""
    countries: dict[str, str] = {}
    first: dict[str, object] = {}
    for batch in shop.batches():
        columns = (_owners(batch), batch["Country"], batch["InvoiceDate"].cast(pa.timestamp("us")))
        for owner, country, at in zip(*(column.to_pylist() for column in columns), strict=True):
            countries[owner] = country
            first.setdefault(owner, at)
    return pa.record_batch(
        {
            "external_id": pa.array(list(countries), pa.string()),
            # Three of its names are no country: the Channel Islands are two, the others none.
            "country": pa.array([code_of(name) or None for name in countries.values()], pa.string()),
            "country_name": pa.array(list(countries.values()), pa.string()),
            "guest": pa.array([owner.startswith("guest-") for owner in countries], pa.bool_()),
            "created_at": pa.array(list(first.values()), pa.timestamp("us")),
        }
    )
