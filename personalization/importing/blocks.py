"""A block: some tens of thousands of records as they were read, before anybody asks what they mean."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from personalization.importing.arrow import pc
from personalization.importing.columns import as_array
from personalization.importing.values import RowError

Row = tuple[int, dict[str, Any] | RowError]
# Line, reason, and what was read of it, if anything.
Broken = tuple[int, str, object]


@dataclass
class Group:
    """Records of one shape: as `table` where every column holds one type, else as `records`."""

    lines: NDArray[np.int64]
    names: tuple[str, ...]
    table: pa.Table | None = None
    records: list[dict[str, Any]] = field(default_factory=list)

    def rows(self, positions: NDArray[np.int64]) -> list[dict[str, Any]]:
        if self.table is None:
            return [self.records[position] for position in positions.tolist()]
        return self.table.take(pa.array(positions)).to_pylist()


@dataclass
class Block:
    """`broken`: lines that could not be read. `read`: records with those."""

    groups: list[Group]
    broken: list[Broken] = field(default_factory=list)

    @property
    def read(self) -> int:
        return sum(len(group.lines) for group in self.groups) + len(self.broken)


def rows_of(blocks: Iterable[Block]) -> Iterator[Row]:
    """(line, record) or (line, RowError), one by one and in order."""
    for block in blocks:
        rows: list[Row] = [(line, RowError(reason)) for line, reason, _row in block.broken]
        for group in block.groups:
            everything = group.rows(np.arange(len(group.lines)))
            rows += zip(group.lines.tolist(), everything, strict=True)
        yield from sorted(rows, key=lambda row: row[0])


def read_batches(batches: Iterable[pa.RecordBatch | pa.Table], *, skip: int = 0) -> Iterator[Block]:
    """Blocks of Arrow data, for callers that make their own; `skip`: as many rows are left out."""
    line = 0
    for batch in batches:
        line += batch.num_rows
        if line <= skip or batch.num_rows == 0:
            continue
        if (known := skip - (line - batch.num_rows)) > 0:
            batch = batch.slice(known)
        table = pa.table(
            [_settled(as_array(column)) for column in batch.columns], names=list(batch.schema.names)
        )
        lines = np.arange(line - batch.num_rows + 1, line + 1)
        yield Block([Group(lines, tuple(table.schema.names), table)])


def _settled(column: pa.Array) -> pa.Array:
    """Of the many types of Arrow those that the rest of the house knows."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _settled(pc.cast(column, kind.value_type))
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        # By way of text: 0.99 in four bytes is meant as 0.99, not as 0.9900000095367432.
        return pc.cast(pc.cast(pc.cast(column, pa.float32()), pa.string()), pa.float64())
    if pa.types.is_timestamp(kind) and kind.unit != "us":
        return pc.cast(column, pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pc.cast(column, pa.string())
    return column


def group_records(lines: list[int], records: list[dict[str, Any]]) -> list[Group]:
    """Records by their shape, as a table where every column holds one type."""
    shapes: dict[tuple[str, ...], list[int]] = {}
    for position, record in enumerate(records):
        shapes.setdefault(tuple(record), []).append(position)
    groups = []
    for names, positions in shapes.items():
        own = [records[position] for position in positions]
        at = np.array([lines[position] for position in positions], dtype=np.int64)
        table = _table(names, own)
        groups.append(Group(at, names, table, [] if table is not None else own))
    return groups


def _table(names: tuple[str, ...], records: list[dict[str, Any]]) -> pa.Table | None:
    columns = []
    for name in names:
        cells = [record[name] for record in records]
        kinds = set(map(type, cells)) - {type(None)}
        if len(kinds) > 1 or not kinds <= {str, int, float, bool}:
            return None
        try:
            columns.append(pa.array(cells))
        except (OverflowError, UnicodeEncodeError, pa.ArrowInvalid):
            return None
    return pa.table(columns, names=list(names)) if names else None
