"""The one mechanism under all imports: blocks → converted → written, each block its own transaction.

Whole columns are converted at once. Rows with an odd cell are converted one by one, by the rules that decide
what such cells mean; both ways end in the same columns. The next block is converted while one is written.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import DatabaseError, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from personalization.importing.blocks import Block, Group
from personalization.importing.columns import Plain, as_array
from personalization.importing.mapping import ColumnMap, map_columns
from personalization.importing.rejects import Rejects
from personalization.importing.values import RowError

ATTEMPTS = 4


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
    """What one block did; `rejects` are positions in the written table with the reason."""

    new: int = 0
    changed: int = 0
    rejects: list[tuple[int, str]] = field(default_factory=list)


class Importer(ABC):
    """One kind of thing that files bring. `fields`: our field to the column names taken for it unasked.

    `schema`: the columns in which converted records are written.
    """

    name = ""
    fields: Mapping[str, tuple[str, ...]] = {}
    required: Sequence[str] = ()
    required_one_of: Sequence[str] = ()  # which of them a row has, `convert` sees to
    schema: pa.Schema
    remembers = False  # whether skipped records must be converted too
    hidden: Mapping[
        str, str
    ] = {}  # columns whose cells are never kept with a refused row, and what is instead

    @abstractmethod
    def convert(self, values: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
        """One row, as `schema` says: values of the mapped fields, and the unmapped cells. Raises RowError."""

    def convert_plain(
        self, values: Mapping[str, pa.Array], others: Mapping[str, pa.Array], *, rows: int
    ) -> tuple[Plain, pa.Table] | None:
        """All rows at once, and which of them are right; `convert` takes the others. None: all of them."""
        return None

    def finish(self, table: pa.Table) -> pa.Table:
        """Once per block and in their order, before it is written."""
        return table

    @abstractmethod
    def write(self, table: pa.Table) -> Written:
        """One block, inside a transaction. Writing the same table again must change nothing."""


@dataclass
class Converted:
    """A block ready to be written; `origin`: group and row in it, for each row of `table`."""

    block: Block
    table: pa.Table
    origin: NDArray[np.int64]
    rejects: list[tuple[int, str, object]]

    def source(self, position: int) -> tuple[int, object]:
        """Line and record of one row of `table`."""
        group_number, row = self.origin[position].tolist()
        group = self.block.groups[group_number]
        return int(group.lines[row]), group.rows(np.array([row]))[0]


@dataclass(frozen=True)
class Loading:
    """How a file is loaded. `columns`: field → columns of the file, for what the usual names do not find.

    `counts`: of what was loaded earlier, of which `known` records stand in the blocks again. `checkpoint` is
    called inside each block's transaction, `progress` after it. A dry run does everything in transactions
    that are rolled back.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rejects: Rejects | None = None
    dry_run: bool = False
    counts: Counts = field(default_factory=Counts)
    known: int = 0
    checkpoint: Callable[[Counts], object] | None = None
    progress: Callable[[Counts], object] | None = None


def load_rows(
    importer: Importer,
    blocks: Iterable[Block],
    *,
    columns: Mapping[str, Sequence[str]] | None = None,
    rejects: Rejects | None = None,
    dry_run: bool = False,
    progress: Callable[[Counts], object] | None = None,
) -> Counts:
    """Loads all blocks and answers the counts. Raises UnknownColumn."""
    return load_blocks(
        importer,
        blocks,
        Loading(columns=columns or {}, rejects=rejects, dry_run=dry_run, progress=progress),
    )


def load_blocks(importer: Importer, blocks: Iterable[Block], loading: Loading) -> Counts:
    """The same, told how. `loading.counts` of an earlier run are continued."""
    counts, known = replace(loading.counts), loading.known
    for converted in _ahead(_convert_all(importer, blocks, loading.columns)):
        if known > 0:
            known -= converted.block.read
            continue
        for attempt in range(1, ATTEMPTS + 1):
            try:
                counts = _write(importer, converted, counts=counts, loading=loading)
                break
            except DatabaseError as error:
                # Two imports that meet in the same rows: the loser starts this block again.
                if attempt == ATTEMPTS or getattr(error.__cause__, "sqlstate", None) != "40P01":
                    raise
        if loading.progress:
            loading.progress(counts)
    return counts


def _ahead(items: Iterator[Converted]) -> Iterator[Converted]:
    """The same items; the next one is made in another thread while the caller works on one."""
    language, end = translation.get_language() or "en", object()
    with ThreadPoolExecutor(1, initializer=translation.activate, initargs=(language,)) as pool:
        upcoming = pool.submit(next, items, end)
        while (item := upcoming.result()) is not end:
            upcoming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]


def _convert_all(
    importer: Importer, blocks: Iterable[Block], chosen: Mapping[str, Sequence[str]]
) -> Iterator[Converted]:
    mappings: dict[tuple[str, ...], ColumnMap] = {}  # records of JSON Lines come in several shapes
    for block in blocks:
        tables, origins = [], []
        rejects: list[tuple[int, str, object]] = list(block.broken)
        for number, group in enumerate(block.groups):
            if group.names not in mappings:
                mappings[group.names] = map_columns(importer, group.names, chosen=chosen, strict=not mappings)
            table, rows, refused = convert_group(importer, group, mappings[group.names])
            tables.append(table)
            origins.append(np.column_stack([np.full(len(rows), number), rows]))
            rejects += refused
        yield _in_order(importer, block, tables, origins, rejects)


def _in_order(
    importer: Importer, block: Block, tables: list[pa.Table], origins: list[NDArray[np.int64]],
    rejects: list[tuple[int, str, object]],
) -> Converted:  # fmt: skip
    table = pa.concat_tables(tables) if tables else importer.schema.empty_table()
    origin = np.concatenate(origins) if origins else np.empty((0, 2), dtype=np.int64)
    if len(block.groups) > 1:
        lines = np.concatenate(
            [group.lines[rows[:, 1]] for group, rows in zip(block.groups, origins, strict=True)]
        )
        order = np.argsort(lines, kind="stable")
        table, origin = table.take(pa.array(order)), origin[order]
    rejects.sort(key=lambda reject: reject[0])
    return Converted(block, importer.finish(table.combine_chunks()), origin, rejects)


def convert_group(
    importer: Importer, group: Group, mapping: ColumnMap
) -> tuple[pa.Table, NDArray[np.int64], list[tuple[int, str, object]]]:
    """The converted rows, their positions in the group, and (line, reason, row) of the refused ones."""
    plain, table = _convert_plain(importer, group, mapping)
    odd = np.flatnonzero(~plain)
    records, taken = [], []
    refused: list[tuple[int, str, object]] = []
    for position, row in zip(odd.tolist(), group.rows(odd) if len(odd) else [], strict=True):
        try:
            values, others = mapping.split(row)
            _require(importer, values)
            records.append(importer.convert(values, others))
            taken.append(position)
        except RowError as error:
            refused.append((int(group.lines[position]), str(error), row))
    positions: NDArray[np.int64] = np.flatnonzero(plain).astype(np.int64)
    if table is None:
        return pa.Table.from_pylist(records, importer.schema), np.array(taken, dtype=np.int64), refused
    if len(odd):
        table = table.filter(pa.array(plain))
    if taken:
        table = pa.concat_tables([table, pa.Table.from_pylist(records, importer.schema)])
        positions = np.concatenate([positions, np.array(taken, dtype=np.int64)])
        order = np.argsort(positions, kind="stable")
        table, positions = table.take(pa.array(order)), positions[order]
    return table, positions, refused


def _convert_plain(importer: Importer, group: Group, mapping: ColumnMap) -> tuple[Plain, pa.Table | None]:
    none = np.zeros(len(group.lines), dtype=bool)
    if group.table is None:
        return none, None
    values, others = mapping.split({name: as_array(group.table[name]) for name in group.names})
    if any(isinstance(value, list) and value for value in values.values()):
        return none, None
    present = {name: value for name, value in values.items() if isinstance(value, pa.Array)}
    if any(name not in present for name in importer.required):
        return none, None
    found = importer.convert_plain(present, others, rows=len(group.lines))
    return (none, None) if found is None else found


def _require(importer: Importer, values: Mapping[str, Any]) -> None:
    for name in importer.required:
        if values.get(name) in (None, "", []):
            raise RowError(_("%(name)s: missing") % {"name": name})


def _write(importer: Importer, converted: Converted, *, counts: Counts, loading: Loading) -> Counts:
    """Counts and rejects are kept only with the block: a block that is written again is counted once."""
    rows = converted.table.num_rows
    with transaction.atomic():
        written = importer.write(converted.table) if rows else Written()
        refused = [(*converted.source(position), reason) for position, reason in written.rejects]
        rejected = converted.rejects + [(line, reason, row) for line, row, reason in refused]
        rejected.sort(key=lambda reject: reject[0])
        after = Counts(
            read=counts.read + converted.block.read,
            new=counts.new + written.new,
            changed=counts.changed + written.changed,
            unchanged=counts.unchanged + rows - written.new - written.changed - len(written.rejects),
            rejected=counts.rejected + len(rejected),
        )
        if loading.rejects:
            loading.rejects.add_all(
                (line, reason, _without(row, importer.hidden)) for line, reason, row in rejected
            )
        if loading.checkpoint:
            loading.checkpoint(after)
        if loading.dry_run:
            transaction.set_rollback(True)
    return after


def _without(row: object, hidden: Mapping[str, str]) -> object:
    if not hidden or not isinstance(row, dict):
        return row
    return {name: hidden.get(name, cell) if cell is not None else None for name, cell in row.items()}
