"""Files to blocks of records, streamed: memory does not grow with the file.

A line is the physical one for CSV, the number of the record, from 1, for JSON Lines and Parquet.
"""

import codecs
import json
import re
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
from django.utils.translation import gettext_lazy

from personalization.importing.blocks import Block, Broken, Row, group_records, read_batches, rows_of
from personalization.importing.csv_files import UnreadableFile, read_csv

BLOCK_ROWS = 50_000
SAMPLE_BYTES = 65_536
COMMON_SHARE = 0.5
PARQUET_BUFFER_BYTES = 1 << 18
SUFFIXES = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
}  # fmt: skip
WORKBOOK_SUFFIXES = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers"}
# A ZIP archive, and the container of the Excel of before 2007.
WORKBOOK_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
WORKBOOK = gettext_lazy(
    "This is a workbook of a spreadsheet program. Save its sheet as “CSV UTF-8” there, and load that file."
)


def format_of(name: str) -> str:
    """csv, jsonl or parquet, by the name's ending. Raises UnreadableFile."""
    try:
        return SUFFIXES[Path(name).suffix.lower()]
    except KeyError:
        if Path(name).suffix.lower() in WORKBOOK_SUFFIXES:
            raise UnreadableFile(WORKBOOK) from None
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
    """By byte order mark, else UTF-8 when the beginning is, else what Excel saves in: GB 18030 in China, the
    Windows code page of Western Europe elsewhere. Raises UnreadableFile for a workbook under another name."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if sample.startswith(WORKBOOK_STARTS):
        raise UnreadableFile(WORKBOOK)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(sample) < SAMPLE_BYTES)
    except UnicodeDecodeError:
        return "gb18030" if _is_chinese(sample) else "cp1252"
    return "utf-8-sig"


def _is_chinese(sample: bytes) -> bool:
    """Whether most bytes above ASCII are the common signs of GB 2312: pairs that begin with B0 to D7. Western
    letters mostly stand alone, and where two small ones meet, both are above that."""
    try:
        codecs.getincrementaldecoder("gb18030")().decode(sample)
    except UnicodeDecodeError:
        return False
    runs = re.findall(rb"[\x80-\xff]+", sample)
    pairs = [run[at : at + 2] for run in runs for at in range(0, len(run), 2)]
    common = sum(len(pair) == 2 and 0xB0 <= pair[0] <= 0xD7 and pair[1] >= 0xA1 for pair in pairs)
    return 2 * common >= COMMON_SHARE * sum(map(len, runs))


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
