"""Files to blocks of records, streamed: memory does not grow with the file.

A line is the physical one for CSV, the number of the record, from 1, for JSON Lines and Parquet.
"""

import codecs
import json
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from personalization.importing.blocks import Block, Broken, Row, group_records, read_batches, rows_of
from personalization.importing.csv_files import UnreadableFile, read_csv

BLOCK_ROWS = 50_000
SAMPLE_BYTES = 65_536
PARQUET_BUFFER_BYTES = 1 << 18
SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
}  # fmt: skip


def format_of(name: str) -> str:
    """csv, jsonl or parquet, by the name's ending. Raises UnreadableFile."""
    try:
        return SUFFIXES[Path(name).suffix.lower()]
    except KeyError:
        raise UnreadableFile(_("Only .csv, .tsv, .jsonl, .ndjson and .parquet files can be read.")) from None


def read_blocks(
    path: Path,
    *,
    encoding: str | None = None,
    rows: int = BLOCK_ROWS,
    skip: int = 0,
    separator: str | None = None,
) -> Iterator[Block]:
    """Blocks of at most `rows` records, without the first `skip` ones. Raises UnreadableFile."""
    if not path.is_file():
        raise UnreadableFile(_("There is no file %(path)s.") % {"path": path})
    kind = format_of(path.name)
    if kind == "parquet":
        try:
            # Else whole columns of a row group, which may be the whole file, are read at once.
            file = pq.ParquetFile(path, pre_buffer=False, buffer_size=PARQUET_BUFFER_BYTES)
            return read_batches(file.iter_batches(batch_size=rows, use_threads=False), skip=skip)
        except (OSError, pa.ArrowInvalid) as error:
            raise UnreadableFile(str(error)) from error
    encoding = encoding or sniff_encoding(path)
    if kind == "jsonl":
        return _read_json_lines(path, encoding, rows=rows, skip=skip)
    return read_csv(path, encoding, rows=rows, skip=skip, separator=separator)


def read_file(path: Path, *, encoding: str | None = None) -> Iterator[Row]:
    """The same record by record, for those who look at each."""
    return rows_of(read_blocks(path, encoding=encoding))


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


def _read_json_lines(path: Path, encoding: str, *, rows: int, skip: int) -> Iterator[Block]:
    with path.open(encoding=encoding, errors="surrogateescape") as file:
        numbered = ((line, content) for line, content in enumerate(file, start=1) if content.strip())
        lines = islice(numbered, skip, None)
        while chunk := list(islice(lines, rows)):
            at: list[int] = []
            records: list[dict[str, Any]] = []
            broken: list[Broken] = []
            for line, content in chunk:
                record = _parse(content)
                if isinstance(record, dict):
                    at.append(line)
                    records.append(record)
                else:
                    is_json = record is not _NOT_JSON
                    reason = _("not a JSON object") if is_json else _("not JSON")
                    broken.append((line, reason, record if is_json else None))
            yield Block(group_records(at, records), broken)


_NOT_JSON = object()


def _parse(content: str) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        pass
    try:  # slower, and forgives NaN and numbers without end
        return json.loads(content)
    except (ValueError, RecursionError):
        return _NOT_JSON


def plain(value: Any) -> Any:
    """A cell as JSON can carry it."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


__all__ = [
    "Row",
    "UnreadableFile",
    "format_of",
    "plain",
    "read_batches",
    "read_blocks",
    "read_file",
    "sniff_encoding",
]


def count_records(path: Path) -> int:
    """How many records there are: exact for Parquet, line ends for text, where cells may hold some too."""
    if format_of(path.name) == "parquet":
        try:
            return pq.ParquetFile(path).metadata.num_rows
        except (OSError, pa.ArrowInvalid) as error:
            raise UnreadableFile(str(error)) from error
    with path.open("rb") as file:
        count = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    return max(0, count - (format_of(path.name) == "csv"))
