"""Files to rows, streamed: memory does not grow with the file.

A row is (line, {column: cell}) or (line, RowError) where the line itself is broken. For CSV the line is the
physical one in the file; for JSON Lines and Parquet the number of the record, from 1.
"""

import codecs
import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from personalization.importing.values import RowError

Row = tuple[int, dict[str, Any] | RowError]
SAMPLE_BYTES = 65_536
PARQUET_ROWS = 20_000
SEPARATORS = ",;\t|"


class UnreadableFile(Exception):
    """The file cannot be read at all; the text says why."""


def read_file(path: Path, *, encoding: str | None = None) -> Iterator[Row]:
    """Rows of a .csv/.tsv/.txt, .jsonl/.ndjson or .parquet file. Raises UnreadableFile."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        try:
            return read_batches(pq.ParquetFile(path).iter_batches(batch_size=PARQUET_ROWS))
        except (OSError, pa.ArrowInvalid) as error:
            raise UnreadableFile(str(error)) from error
    if not path.is_file():
        raise UnreadableFile(_("There is no file %(path)s.") % {"path": path})
    if suffix in (".jsonl", ".ndjson"):
        return _read_json_lines(path, encoding or "utf-8-sig")
    if suffix in (".csv", ".tsv", ".txt"):
        return _read_csv(path, encoding or sniff_encoding(path))
    raise UnreadableFile(_("Only .csv, .tsv, .jsonl, .ndjson and .parquet files can be read."))


def read_batches(batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[Row]:
    """Rows of Arrow data, for callers that make their own."""
    line = 0
    for batch in batches:
        names = batch.schema.names
        for cells in zip(*(_cells(column) for column in batch.columns), strict=True):
            line += 1
            yield line, dict(zip(names, cells, strict=True))


def _cells(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        # By way of text: 0.99 in four bytes is meant as 0.99, not as 0.9900000095367432.
        column = pc.cast(pc.cast(pc.cast(column, pa.float32()), pa.string()), pa.float64())
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    return column.to_pylist()


def sniff_encoding(path: Path) -> str:
    """By byte order mark, else UTF-8 when the beginning is, else the Windows code page Excel saves in."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(sample) < SAMPLE_BYTES)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def sniff_separator(header: str) -> str:
    """The separator that splits the header most often, quotes respected; a comma when none does."""
    return max(SEPARATORS, key=lambda mark: (len(next(csv.reader([header], delimiter=mark))), mark == ","))


def _read_csv(path: Path, encoding: str) -> Iterator[Row]:
    # Undecodable bytes become lone surrogates, so that only their own row is rejected.
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        first, skipped = file.readline(), 1
        if first.lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own hint
            separator, first, skipped = first.strip()[4], file.readline(), 2
        else:
            separator = sniff_separator(first.rstrip("\r\n"))
        header = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
        if not any(header) or len(set(header)) < len(header):
            raise UnreadableFile(_("The first line must name every column once."))
        reader = csv.reader(file, delimiter=separator)
        while True:
            line = reader.line_num + skipped + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, RowError(str(error))
                continue
            if cells:
                yield line, _csv_row(header, cells)


def _csv_row(header: list[str], cells: list[str]) -> dict[str, Any] | RowError:
    if len(cells) != len(header):
        return RowError(
            _("%(found)s cells instead of %(expected)s") % {"found": len(cells), "expected": len(header)}
        )
    row: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=True):
        if cell.startswith('="') and cell.endswith('"'):  # Excel's way to keep leading zeros
            cell = cell[2:-1]
        if not cell.isascii() and any("\ud800" <= letter <= "\udfff" for letter in cell):
            return RowError(_("the encoding of the row differs from the file's beginning"))
        row[name] = cell if cell.strip() else None
    return row


def _read_json_lines(path: Path, encoding: str) -> Iterator[Row]:
    with path.open(encoding=encoding, errors="surrogateescape") as file:
        for line, content in enumerate(file, start=1):
            if not content.strip():
                continue
            try:
                row = json.loads(content)
            except (ValueError, RecursionError):
                yield line, RowError(_("not JSON"))
                continue
            yield line, row if isinstance(row, dict) else RowError(_("not a JSON object"))


def plain(value: Any) -> Any:
    """A cell as JSON can carry it."""
    return value.isoformat() if isinstance(value, datetime) else value
