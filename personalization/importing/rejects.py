"""Rows that were not taken: kept as JSON Lines while a file is loaded, told as a sheet to be mended."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TextIO

from personalization.spreadsheet import safe_cell

SHEET_COLUMNS = ["rejected line", "rejected because"]


class Rejects(Protocol):
    def add_all(self, rejects: Iterable[tuple[int, str, object]]) -> None:
        """Takes (line, reason, row); `row` None: the line could not even be read."""


class FirstRejects:
    """Line and reason alone, of the first `most` rows."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.found: list[dict[str, Any]] = []

    def add_all(self, rejects: Iterable[tuple[int, str, object]]) -> None:
        for line, reason, _row in rejects:
            if len(self.found) < self.most:
                self.found.append({"line": line, "reason": reason})


class RejectsFile:
    """One JSON object a line; half a letter, which is no text, is escaped. `reasons`: rows of each."""

    def __init__(self, file: TextIO, reasons: Iterable[str] = ()) -> None:
        self.file, self.reasons = file, Counter(reasons)

    def add_all(self, rejects: Iterable[tuple[int, str, object]]) -> None:
        for line, reason, row in rejects:
            self.reasons[reason] += 1
            text = json.dumps({"line": line, "reason": reason, "row": row}, default=str, ensure_ascii=False)
            self.file.write(text.encode(errors="backslashreplace").decode() + "\n")
        self.file.flush()


def sheet(path: Path) -> Iterator[str]:
    """Lines of CSV from a `RejectsFile`: line and reason, then the row under its own columns.

    Mended, it can be loaded as it is: `read_csv` leaves the first two columns out. A row that had not one
    cell for each column keeps its number of cells, so that it is refused again until somebody mends it.
    """
    columns: dict[str, None] = {}
    for _line, _reason, row in _read(path):
        columns |= dict.fromkeys(row if isinstance(row, dict) else ())
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(map(safe_cell, [*SHEET_COLUMNS, *columns]))
    for line, reason, row in _read(path):
        cells = [row.get(name) for name in columns] if isinstance(row, dict) else row or []
        text = writer.writerow([line, reason, *map(safe_cell, cells)])
        yield text.encode(errors="backslashreplace").decode()


def reasons_in(path: Path) -> Iterator[str]:
    """Of each row in a `RejectsFile`."""
    return (reason for _line, reason, _row in _read(path))


def _read(path: Path) -> Iterator[tuple[int, str, Any]]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            entry = json.loads(text)
            yield entry["line"], entry["reason"], entry["row"]


class _Echo:
    def write(self, value: str) -> str:
        return value
