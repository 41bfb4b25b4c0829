"""Right of access: everything we hold of a person, as files a person and a program can read."""

import csv
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.utils import timezone

from personalization.access.jobs.work import Tell
from personalization.customers.models import Customer
from personalization.personal_data import PersonalData
from personalization.privacy.declared import declared, rows_of, stores
from personalization.privacy.person import describe
from personalization.spreadsheet import safe_cell

README = """Everything we hold about one person.

data.json holds all of it, by kind of data and table. The .csv files hold the same tables for a
spreadsheet: UTF-8, one row per line; a leading ' keeps a text from being run as a formula.
"""
CHUNK = 2_000
TOLD_EVERY = 500
Row = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    name: str
    columns: Sequence[str]
    count: int
    rows: Iterable[Row]


def write_zip(customer: Customer, out: Path, tell: Tell) -> int:
    """One CSV per table that is not empty, data.json, and how to read them; answers how many rows there are.

    Row by row: memory does not grow with the person. Inside a transaction, for its cursors.
    """
    by_kind = _tables(customer)
    many = sum(table.count for tables in by_kind.values() for table in tables)
    progress = _Progress(many, tell)
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryFile(dir=out.parent) as spooled,
        io.TextIOWrapper(spooled, encoding="utf-8") as document,
    ):
        archive.writestr("README.txt", README)
        head = {"exported_at": timezone.now(), "customer": customer.external_id}
        document.write(f'{_json(head)[:-1]}, "data": {{')
        for comma, (kind, tables) in _with_commas(by_kind.items()):
            document.write(f"{comma}\n{_json(kind)}: {{")
            for comma_within, table in _with_commas(tables):
                document.write(f"{comma_within}\n{_json(table.name)}: [")
                lines = _lines(archive, f"{kind}/{table.name}.csv", table, progress)
                document.writelines(f"{between}\n{line}" for between, line in _with_commas(lines))
                document.write("]")
            document.write("}")
        document.write("}}\n")
        document.flush()
        spooled.seek(0)
        with archive.open("data.json", "w", force_zip64=True) as entry:
            shutil.copyfileobj(spooled, entry)
    return progress.done


class _Progress:
    def __init__(self, many: int, tell: Tell) -> None:
        self._many, self._tell, self.done = max(many, 1), tell, 0

    def step(self) -> None:
        self.done += 1
        if self.done % TOLD_EVERY == 0:
            self._tell(min(self.done / self._many, 1.0))


def _tables(customer: Customer) -> dict[str, list[Table]]:
    """By kind; every declared model is there, also with no rows."""
    person = describe(customer)
    found: dict[str, list[Table]] = {}
    for model, data in reversed(declared()):
        found.setdefault(data.kind, []).append(_table(model, data, person.customer_ids))
    for store in stores():
        rows = store.export(person)
        columns = list(dict.fromkeys(name for row in rows for name in row))
        found.setdefault("other", []).append(Table(store.name, columns, len(rows), rows))
    return found


def _table(model: type[Model], data: PersonalData, customer_ids: Sequence[int]) -> Table:
    hidden = set(data.internal)
    columns = [f.attname for f in model._meta.concrete_fields if f.name not in hidden]
    names = {**{column: column for column in columns}, **{path: name for name, path in data.also.items()}}
    found = rows_of(model, data, customer_ids).order_by("pk").values(*names)
    rows = ({names[key]: value for key, value in row.items()} for row in found.iterator(chunk_size=CHUNK))
    return Table(model._meta.model_name or "", list(names.values()), found.count(), rows)


def _lines(archive: zipfile.ZipFile, name: str, table: Table, progress: _Progress) -> Iterator[str]:
    """The rows as JSON, each written to its CSV file on the way; without rows there is no such file."""
    rows = iter(table.rows)
    first = next(rows, None)
    if first is None:
        return
    with (
        archive.open(name, "w", force_zip64=True) as entry,
        io.TextIOWrapper(entry, encoding="utf-8-sig", newline="") as text,
    ):
        writer = csv.writer(text)
        writer.writerow([safe_cell(column) for column in table.columns])
        for row in chain([first], rows):
            writer.writerow([safe_cell(row.get(column)) for column in table.columns])
            progress.step()
            yield _json(row)


def _json(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _with_commas(parts: Iterable[T]) -> Iterator[tuple[str, T]]:
    """Each with what stands before it in a JSON list."""
    for number, part in enumerate(parts):
        yield ("," if number else ""), part
