"""Right of access: everything we hold of a person, as files a person and a program can read."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.utils import timezone

from personalization.customers.models import Customer
from personalization.personal_data import PersonalData
from personalization.privacy.declared import declared, rows_of, stores
from personalization.privacy.person import describe
from personalization.spreadsheet import safe_cell

README = """Everything we hold about one person.

data.json holds all of it, by kind of data and table. The .csv files hold the same tables for a
spreadsheet: UTF-8, one row per line; a leading ' keeps a text from being run as a formula.
"""


def collect(customer: Customer) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Rows by kind and table; every declared model is there, also with no rows."""
    person = describe(customer)
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for model, data in reversed(declared()):
        found.setdefault(data.kind, {})[model._meta.model_name or ""] = _rows(
            model, data, person.customer_ids
        )
    for store in stores():
        found.setdefault("other", {})[store.name] = [dict(row) for row in store.export(person)]
    return found


def _rows(model: type[Model], data: PersonalData, customer_ids: Sequence[int]) -> list[dict[str, Any]]:
    hidden = set(data.internal)
    columns = [f.attname for f in model._meta.concrete_fields if f.name not in hidden]
    rows = rows_of(model, data, customer_ids).order_by("pk").values(*columns, *data.also.values())
    names = {lookup: name for name, lookup in data.also.items()}
    return [{names.get(key, key): value for key, value in row.items()} for row in rows]


def export_zip(customer: Customer) -> bytes:
    """data.json, one CSV per table that is not empty, and a note on how to read them."""
    tables = collect(customer)
    document = {"exported_at": timezone.now(), "customer": customer.external_id, "data": tables}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr(
            "data.json", json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
        )
        for kind, by_table in tables.items():
            for table, rows in by_table.items():
                if rows:
                    archive.writestr(f"{kind}/{table}.csv", _csv(rows))
    return buffer.getvalue()


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([safe_cell(name) for name in columns])
    writer.writerows([[safe_cell(row.get(name)) for name in columns] for row in rows])
    return "\ufeff" + text.getvalue()
