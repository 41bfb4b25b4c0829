"""The file of rows that were not taken."""

import csv
import json
from collections.abc import Iterable
from typing import TextIO


class Rejects:
    """CSV of line, reason, and the row as JSON, which is never taken for a formula."""

    def __init__(self, file: TextIO | None, *, fresh: bool = True) -> None:
        self.file = file
        self.writer = csv.writer(file) if file else None
        if self.writer and fresh:
            self.writer.writerow(["line", "reason", "row"])

    def add_all(self, rejects: Iterable[tuple[int, str, object]]) -> None:
        """`row` None: the line could not even be read. What is no text, half a letter, is written as JSON
        escapes it."""
        if self.writer and self.file:
            for line, reason, row in rejects:
                text = "" if row is None else json.dumps(row, default=str, ensure_ascii=False)
                text = text.encode(errors="backslashreplace").decode()
                self.writer.writerow([line, reason, text])
            self.file.flush()
