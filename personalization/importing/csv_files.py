"""CSV as spreadsheets write it: separators, `sep=`, `="007"`, cells with line ends, rows wrongly encoded."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from personalization.importing.arrow import pc
from personalization.importing.blocks import Block, Broken, Group
from personalization.importing.rejects import SHEET_COLUMNS

SEPARATORS = ",;\t|"


class UnreadableFile(Exception):
    """The file cannot be read at all; the text says why."""


def sniff_separator(header: str) -> str:
    """The separator that splits the header most often, quotes respected; a comma when none does."""
    return max(SEPARATORS, key=lambda mark: (len(next(csv.reader([header], delimiter=mark))), mark == ","))


def read_csv(
    path: Path, encoding: str, *, rows: int, skip: int = 0, separator: str | None = None
) -> Iterator[Block]:
    """Blocks of cells that are all text, null where blank. Raises UnreadableFile."""
    # Undecodable bytes become lone surrogates, so that only their own row is rejected.
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        mark, header, skipped = read_header(file, separator)
        reader = csv.reader(file, delimiter=mark)
        records = _numbered(reader, skipped)
        if header[: len(SHEET_COLUMNS)] == SHEET_COLUMNS:  # rejected rows that come back mended
            header = header[len(SHEET_COLUMNS) :]
            records = ((line, _behind(row, len(SHEET_COLUMNS))) for line, row in records)
        for _known in islice(records, skip):
            pass
        while chunk := list(islice(records, rows)):
            yield _block(header, chunk)


def _behind(row: list[str] | str, position: int) -> list[str] | str:
    return row if isinstance(row, str) else row[position:]


def read_header(file: TextIO, separator: str | None = None) -> tuple[str, list[str], int]:
    """Separator, names of the columns, and how many lines that took. Raises UnreadableFile."""
    first, skipped = file.readline(), 1
    if first.lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own hint
        mark, first, skipped = first.strip()[4], file.readline(), 2
    else:
        mark = sniff_separator(first.rstrip("\r\n"))
    mark = separator or mark
    try:
        header = [name.strip() for name in next(csv.reader([first], delimiter=mark), [])]
    except csv.Error as error:
        raise UnreadableFile(str(error)) from error
    if not any(header) or len(set(header)) < len(header):
        raise UnreadableFile(_("The first line must name every column once."))
    return mark, header, skipped


def _numbered(reader: Any, skipped: int) -> Iterator[tuple[int, list[str] | str]]:
    """(physical line, cells), or (line, reason) where the line is no CSV; blank lines are left out."""
    line = skipped + 1
    while True:
        try:
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + skipped + 1
            return
        except csv.Error as error:
            yield line, str(error)
            line = reader.line_num + skipped + 1


def _block(header: list[str], chunk: list[tuple[int, list[str] | str]]) -> Block:
    broken: list[Broken] = []
    lines: list[int] = []
    cells: list[list[str]] = []
    for line, found in chunk:
        if isinstance(found, str):
            broken.append((line, found, None))
        elif len(found) != len(header):
            counts = {"found": len(found), "expected": len(header)}
            broken.append((line, _("%(found)s cells instead of %(expected)s") % counts, found))
        else:
            lines.append(line)
            cells.append(found)
    try:
        table = _table(header, cells)
    except UnicodeEncodeError:
        reason = _("the encoding of the row differs from the file's beginning")
        odd = [position for position, row in enumerate(cells) if not _is_text(row)]
        broken += [(lines[position], reason, None) for position in odd]
        for position in reversed(odd):
            del lines[position], cells[position]
        table = _table(header, cells)
    return Block([Group(np.array(lines, dtype=np.int64), tuple(header), table)] if lines else [], broken)


def _is_text(row: list[str]) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for cell in row if not cell.isascii() for letter in cell)


def _table(header: list[str], cells: list[list[str]]) -> pa.Table:
    columns = zip(*cells, strict=True) if cells else [()] * len(header)
    return pa.table([_column(pa.array(column, pa.string())) for column in columns], names=header)


def _column(column: pa.Array) -> pa.Array:
    guarded = pc.or_(pc.starts_with(column, "="), pc.starts_with(column, "'"))
    if pc.any(guarded).as_py():  # Excel's way to keep leading zeros, ours to let no text become a formula
        column = pc.replace_substring_regex(column, r'(?s)^="(.*)"$', r"\1")
        column = pc.replace_substring_regex(column, r"^'([=+\-@\t\r])", r"\1")
    blank: NDArray[np.bool_] = np.asarray(pc.equal(pc.utf8_trim_whitespace(column), ""))
    return pc.if_else(pa.array(blank), None, column) if blank.any() else column
