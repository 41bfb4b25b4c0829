"""The one mechanism under all imports: rows → converted → batches of rows, each its own transaction."""

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TextIO, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from personalization.importing.reading import Row
from personalization.importing.values import RowError

BATCH_ROWS = 50_000
T = TypeVar("T")


@dataclass
class Counts:
    """read = new + changed + unchanged + rejected, always."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass
class Written:
    """What one batch did; `rejects` are positions in the batch with the reason."""

    new: int = 0
    changed: int = 0
    rejects: list[tuple[int, str]] = field(default_factory=list)


class Importer(ABC, Generic[T]):
    """One kind of thing that files bring. `fields`: our field to the column names taken for it unasked."""

    name = ""
    fields: Mapping[str, tuple[str, ...]] = {}
    required: Sequence[str] = ()

    @abstractmethod
    def convert(self, values: dict[str, Any], others: dict[str, Any]) -> T:
        """One row: values of the mapped fields, and the unmapped cells. Raises RowError."""

    @abstractmethod
    def write(self, records: Sequence[T]) -> Written:
        """One batch, inside a transaction. Runs again with the same records must change nothing."""


class UnknownColumn(Exception):
    """The mapping names a field or a column that is not there."""


@dataclass
class ColumnMap:
    """Which columns fill which field; everything else is left over."""

    columns: dict[str, tuple[str, ...]]

    def split(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        values: dict[str, Any] = {}
        others = dict(row)
        for name, columns in self.columns.items():
            cells = [others.pop(column, None) for column in columns]
            values[name] = cells[0] if len(cells) == 1 else [cell for cell in cells if cell is not None]
        return values, others


def map_columns(
    importer: Importer[Any],
    present: Iterable[str],
    *,
    chosen: Mapping[str, Sequence[str]],
    strict: bool = True,
) -> ColumnMap:
    """The chosen columns, and for other fields the first usual name that is present.

    Raises UnknownColumn for an unknown field, and for a chosen column that is absent if `strict`.
    """
    names = list(present)
    by_plain = {_plain(name): name for name in reversed(names)}
    columns: dict[str, tuple[str, ...]] = {}
    for name, wanted in chosen.items():
        if name not in importer.fields:
            known = ", ".join(importer.fields)
            raise UnknownColumn(
                _("There is no field %(name)s; known: %(known)s") % {"name": name, "known": known}
            )
        missing = [column for column in wanted if column not in names]
        if missing and strict:
            raise UnknownColumn(
                _("There is no column %(column)s; the file has: %(names)s")
                % {"column": missing[0], "names": ", ".join(names)}
            )
        columns[name] = tuple(wanted)
    taken = {column for group in columns.values() for column in group}
    for name, usual in importer.fields.items():
        found = [by_plain[_plain(u)] for u in (name, *usual) if _plain(u) in by_plain]
        if name not in columns and found and found[0] not in taken:
            columns[name] = (found[0],)
            taken.add(found[0])
    return ColumnMap(columns)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


class Rejects:
    """The rejected rows as CSV: line, reason, and the row as JSON, never taken for a formula."""

    def __init__(self, file: TextIO | None) -> None:
        self.writer = csv.writer(file) if file else None
        if self.writer:
            self.writer.writerow(["line", "reason", "row"])

    def add(self, line: int, reason: str, row: object) -> None:
        if self.writer:
            shown = "" if isinstance(row, RowError) else json.dumps(row, default=str)
            self.writer.writerow([line, reason, shown])


def load_rows(
    importer: Importer[T],
    rows: Iterable[Row],
    *,
    columns: Mapping[str, Sequence[str]] | None = None,
    rejects: TextIO | None = None,
    dry_run: bool = False,
    batch_rows: int = BATCH_ROWS,
    progress: Callable[[Counts], object] | None = None,
) -> Counts:
    """Loads all rows and answers the counts; a batch is durable when `progress` is called for it.

    `columns`: field → columns of the file, for what the usual names do not find. A dry run does everything
    inside transactions that are rolled back. Raises UnknownColumn.
    """
    counts, bad = Counts(), Rejects(rejects)
    mappings: dict[tuple[str, ...], ColumnMap] = {}  # records of JSON Lines come in several shapes
    batch: list[tuple[int, dict[str, Any], T]] = []
    for line, row in rows:
        counts.read += 1
        try:
            if isinstance(row, RowError):
                raise row
            shape = tuple(row)
            if shape not in mappings:
                mappings[shape] = map_columns(importer, row, chosen=columns or {}, strict=not mappings)
            values, others = mappings[shape].split(row)
            _require(importer, values)
            batch.append((line, row, importer.convert(values, others)))
        except RowError as error:
            counts.rejected += 1
            bad.add(line, str(error), row)
        if len(batch) >= batch_rows:
            _write(importer, batch, counts=counts, bad=bad, dry_run=dry_run)
            batch = []
            if progress:
                progress(counts)
    if batch:
        _write(importer, batch, counts=counts, bad=bad, dry_run=dry_run)
    if progress:
        progress(counts)
    return counts


def _require(importer: Importer[Any], values: Mapping[str, Any]) -> None:
    for name in importer.required:
        if values.get(name) in (None, "", []):
            raise RowError(_("%(name)s is missing") % {"name": name})


def _write(
    importer: Importer[T], batch: list[tuple[int, dict[str, Any], T]], *, counts: Counts, bad: Rejects,
    dry_run: bool,
) -> None:  # fmt: skip
    with transaction.atomic():
        written = importer.write([record for _line, _row, record in batch])
        if dry_run:
            transaction.set_rollback(True)
    for position, reason in written.rejects:
        bad.add(batch[position][0], reason, batch[position][1])
    counts.new += written.new
    counts.changed += written.changed
    counts.rejected += len(written.rejects)
    counts.unchanged += len(batch) - written.new - written.changed - len(written.rejects)
