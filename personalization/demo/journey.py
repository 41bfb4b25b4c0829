"""Loads 84.51°'s Complete Journey, a grocer's year with 2,469 households, as it would come from a real shop.

Each line of a receipt is one `Order Line` of its household, each redemption one `Coupon Redeemed`; products
are items, demographics traits. Nothing is made up but, said loudly, an address and consent for each.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection, transaction
from django.db.models import Sum

from personalization.catalog.importing import ItemImporter
from personalization.customers.importing import CustomerImporter
from personalization.customers.models import Channel, Customer
from personalization.customers.selectors import consented_ids
from personalization.customers.services import record_consent
from personalization.demo.errors import LoadError
from personalization.demo.telling import Say, require_all_taken
from personalization.events.importing import load_batches
from personalization.events.models import Event
from personalization.importing.blocks import read_batches
from personalization.importing.pipeline import load_rows

TOTAL = Decimal("4596039.58")
HOUSEHOLDS, PRODUCTS, LINES, REDEMPTIONS = 2_469, 92_331, 1_469_307, 2_102
NAMES = ("transactions", "products", "demographics", "coupon_redemptions")
BATCH_ROWS = 50_000


class JourneyError(LoadError):
    """The data is not there, or a step came to something else than it should."""


@dataclass(frozen=True)
class Journey:
    """The files of one folder; `households` keeps only the first so many (tests), None all."""

    folder: Path
    households: int | None = None

    def batches(self, name: str) -> Iterator[pa.RecordBatch]:
        for batch in pq.ParquetFile(self.path(name)).iter_batches(batch_size=BATCH_ROWS):
            if self.households is not None and "household_id" in batch.schema.names:
                batch = batch.filter(pa.array(batch["household_id"].to_numpy() <= self.households))
            yield batch

    def path(self, name: str) -> Path:
        return self.folder / f"completejourney-{name}.parquet"

    def check(self) -> None:
        """Raises JourneyError naming the first file that is missing."""
        for name in NAMES:
            if not self.path(name).is_file():
                raise JourneyError(f"There is no file {self.path(name)}.")

    def ids(self) -> list[str]:
        """The households that appear in any file."""
        found: set[int] = set()
        for name in ("transactions", "demographics", "coupon_redemptions"):
            for batch in self.batches(name):
                found |= set(np.unique(batch["household_id"].to_numpy()).tolist())
        return [str(number) for number in sorted(found)]


def load(journey: Journey, *, say: Say) -> list[int]:
    """Loads everything; loading twice adds nothing. Answers the customers' keys. Raises JourneyError."""
    journey.check()
    require_all_taken(
        say, "products", load_rows(ItemImporter(), read_batches(_items(journey)), columns=ITEM_COLUMNS)
    )
    lines = load_batches(
        journey.batches("transactions"), event="Order Line", unknown_items="create", columns=LINE_COLUMNS
    )
    require_all_taken(say, "order lines", lines)
    redeemed = load_batches(
        journey.batches("coupon_redemptions"), event="Coupon Redeemed", columns=REDEMPTION_COLUMNS
    )
    require_all_taken(say, "coupon redemptions", redeemed)
    ids = journey.ids()
    require_all_taken(say, "demographics", load_rows(CustomerImporter(), read_batches(_households(journey))))
    require_all_taken(say, "households", load_rows(CustomerImporter(), read_batches([_addresses(ids)])))
    keys = list(Customer.objects.filter(external_id__in=ids).order_by("pk").values_list("pk", flat=True))
    _consent(keys)
    say(
        f"  made up for this demo: an address at example.com and consent for each of {len(keys):,} households"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event, customers_customer, catalog_item, customers_consent")
    return keys


CATEGORIES = ("department", "product_category", "product_type")
ITEM_COLUMNS = {
    "external_id": ["product_id"],
    "categories": ["department", "product_category", "product_type"],
}
LINE_COLUMNS = {
    "customer": ["household_id"], "occurred_at": ["transaction_timestamp"], "item": ["product_id"],
    "value": ["sales_value"],
}  # fmt: skip
REDEMPTION_COLUMNS = {"customer": ["household_id"], "occurred_at": ["redemption_date"]}


def check_total(keys: Sequence[int], *, expected: Decimal = TOTAL) -> Decimal:
    """The value of all order lines of these customers. Raises JourneyError unless it matches to the cent."""
    lines = Event.objects.filter(customer_id__in=list(keys), name="Order Line", item__isnull=False)
    total = lines.aggregate(total=Sum("value"))["total"] or Decimal(0)
    if total != expected:
        raise JourneyError(f"The loaded lines add up to {total:,}, not to {expected:,}.")
    return total


def _items(journey: Journey) -> Iterator[pa.RecordBatch]:
    """With the name that the file lacks: its type, category or department, and the size of the package."""
    for batch in journey.batches("products"):
        parts = ("product_type", "product_category", "department", "package_size")
        rows = zip(*(batch[part].to_pylist() for part in parts), strict=True)
        names = [
            f"{kind or category or area or ''} {size or ''}".strip() for kind, category, area, size in rows
        ]
        yield batch.append_column("name", pa.array(names))


def _households(journey: Journey) -> Iterator[pa.RecordBatch]:
    for batch in journey.batches("demographics"):
        names = ["external_id" if name == "household_id" else name for name in batch.schema.names]
        yield batch.rename_columns(names)


def _addresses(ids: Iterable[str]) -> pa.RecordBatch:
    known = list(ids)
    return pa.record_batch(
        {"external_id": known, "email": [f"household-{number}@example.com" for number in known]}
    )


@transaction.atomic
def _consent(keys: Sequence[int]) -> None:
    there = consented_ids(keys, channel=Channel.EMAIL, topic="marketing")
    for key in keys:
        if key not in there:
            record_consent(
                key, channel=Channel.EMAIL, topic="marketing", granted=True, source="made up for the demo"
            )
