"""What a file looks like before it is loaded: names, guesses, the first rows and their faults."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from personalization.importing.blocks import rows_of
from personalization.importing.csv_files import read_header
from personalization.importing.mapping import ColumnMap, UnknownColumn, map_columns
from personalization.importing.pipeline import convert_group
from personalization.importing.reading import format_of, read_blocks, sniff_encoding
from personalization.importing.values import RowError
from personalization.sources.kinds import columns_of, importer_for
from personalization.sources.models import Import

ROWS = 100
NEARLY_ALL = 0.8
_ADDRESS = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+")


@dataclass
class Preview:
    """`mapping`: column → field, "" for one that is kept as a trait, attribute or property."""

    kind: str
    encoding: str
    separator: str
    names: list[str]
    mapping: dict[str, str]
    rows: list[tuple[int, list[Any], str]] = field(default_factory=list)
    faults: int = 0
    problem: str = ""


def read_names(path: Path, options: Mapping[str, Any]) -> list[str]:
    """The columns of the file; for JSON Lines those of its first records. Raises UnreadableFile."""
    if format_of(path.name) == "csv":
        encoding = options.get("encoding") or sniff_encoding(path)
        with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
            return read_header(file, options.get("separator") or None)[1]
    blocks = read_blocks(path, encoding=options.get("encoding") or None, rows=ROWS)
    names: dict[str, None] = {}
    for block in islice(blocks, 1):
        for group in block.groups:
            names |= dict.fromkeys(group.names)
    return list(names)


def _guess_addresses(mapping: ColumnMap, rows: list[dict[str, Any]]) -> None:
    """No head says e-mail: then it is the first free column of which nearly all cells are addresses."""
    taken = {column for group in mapping.columns.values() for column in group}
    for name in rows[0] if rows else ():
        cells = [str(row[name]).strip() for row in rows if row.get(name)]
        if name not in taken and cells and sum(map(is_address, cells)) >= NEARLY_ALL * len(cells):
            mapping.columns["email"] = (name,)
            return


def is_address(cell: str) -> bool:
    return bool(_ADDRESS.fullmatch(cell))


def preview(job: Import) -> Preview:
    """Reads at most the first hundred rows. Raises UnreadableFile, InvalidOptions."""
    path, options = Path(job.path), job.options
    shown = Preview(format_of(job.name), "", "", read_names(path, options), {})
    if shown.kind != "parquet":
        shown.encoding = options.get("encoding") or sniff_encoding(path)
    if shown.kind == "csv":
        with path.open(encoding=shown.encoding, errors="surrogateescape", newline="") as file:
            shown.separator = read_header(file, options.get("separator") or None)[0]
    importer, columns = importer_for(job.kind, options), columns_of(options)
    try:
        mapping = map_columns(importer, shown.names, chosen=columns)
    except UnknownColumn as error:
        shown.problem = str(error)
        mapping = map_columns(importer, shown.names, chosen={})
    blocks = list(
        islice(
            read_blocks(path, encoding=shown.encoding or None, separator=shown.separator or None, rows=ROWS),
            1,
        )
    )
    if "email" in importer.fields and not columns and "email" not in mapping.columns:
        _guess_addresses(mapping, [row for _line, row in rows_of(blocks) if not isinstance(row, RowError)])
    by_column = {column: name for name, group in mapping.columns.items() for column in group}
    shown.mapping = {name: by_column.get(name, "") for name in shown.names}
    # A field that stays empty is said to be empty, so that it is not guessed anew.
    filled = {name: mapping.columns.get(name, ()) for name in importer.fields}
    for block in blocks:
        faults = {line: reason for line, reason, _row in block.broken}
        for group in block.groups:
            own = map_columns(importer, group.names, chosen=filled, strict=False)
            faults |= {line: reason for line, reason, _row in convert_group(importer, group, own)[2]}
        for line, row in rows_of([block]):
            cells = [] if isinstance(row, RowError) else [row.get(name) for name in shown.names]
            shown.rows.append((line, cells, faults.get(line, "")))
        shown.faults = len(faults)
    return shown
