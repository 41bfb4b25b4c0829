"""Customers from files: known by `external_id`; unmapped columns become traits.

An empty cell says nothing and changes nothing. Consent is never implied by an import.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec
from django.utils import timezone

from personalization.customers.errors import InvalidTraits
from personalization.customers.models import Customer
from personalization.customers.traits import COLUMNS, check_column, split_traits
from personalization.importing import values as cells
from personalization.importing.copying import upsert
from personalization.importing.pipeline import Importer, Written
from personalization.importing.reading import plain
from personalization.importing.values import RowError


@dataclass(frozen=True)
class CustomerRecord:
    external_id: str
    columns: dict[str, str]
    traits: dict[str, Any]
    created_at: datetime | None


class CustomerImporter(Importer[CustomerRecord]):
    name = "customers"
    fields = {
        "external_id": ("customer_id", "user_id", "id"),
        "email": ("e-mail", "email address"),
        "phone": ("telephone", "mobile"),
        "first_name": ("given name",),
        "last_name": ("family name", "surname"),
        "language": ("locale",),
        "country": ("country code",),
        "city": ("town",),
        "time_zone": (),
        "created_at": ("created", "registered at", "signup date"),
    }
    required = ("external_id",)

    def __init__(self, *, zone: tzinfo = UTC) -> None:
        self.zone = zone
        self.now = timezone.now()

    def convert(self, values: dict[str, Any], others: dict[str, Any]) -> CustomerRecord:
        external_id = cells.text(values["external_id"], name="external_id")
        created = values.get("created_at")
        try:
            columns = {
                name: check_column(name, cells.text(values.get(name), limit=254, name=name))
                for name in COLUMNS
                if values.get(name) not in (None, "")
            }
            split = split_traits({name: plain(value) for name, value in others.items() if value is not None})
        except InvalidTraits as error:
            raise RowError(str(error)) from None
        return CustomerRecord(
            external_id,
            split.columns | columns,
            split.others,
            cells.moment(created, zone=self.zone, name="created_at") if created else None,
        )

    def write(self, records: Sequence[CustomerRecord]) -> Written:
        merged: dict[str, CustomerRecord] = {}
        for record in records:
            if earlier := merged.get(record.external_id):
                record = CustomerRecord(
                    record.external_id, earlier.columns | record.columns, earlier.traits | record.traits,
                    record.created_at or earlier.created_at,
                )  # fmt: skip
            merged[record.external_id] = record
        types = {"external_id": "text", **dict.fromkeys(COLUMNS, "text"), "traits": "jsonb"}
        return upsert(
            table=Customer._meta.db_table,
            key="external_id",
            types=types | {"created_at": "timestamptz"},
            records=[
                (
                    record.external_id,
                    *(record.columns.get(name, "") for name in COLUMNS),
                    msgspec.json.encode(record.traits).decode(),
                    record.created_at or self.now,
                )
                for record in merged.values()
            ],
            update={name: f"coalesce(nullif(excluded.{name}, ''), t.{name})" for name in COLUMNS}
            # A customer first seen in an event is as old as the older of the two statements.
            | {
                "traits": "t.traits || excluded.traits",
                "created_at": "least(t.created_at, excluded.created_at)",
            },
            constants={"updated_at": "now()"},
        )
