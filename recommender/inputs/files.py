"""Events and items from files, for judging recommenders on data that is not in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from recommender.algorithms import ItemFeatures
from recommender.evaluation import Log

TAGS = "tags"


class FileError(ValueError):
    """The file cannot be read, or lacks a column."""


@dataclass(frozen=True)
class FileLog:
    """`item_ids[column]` is the item's id in the file."""

    log: Log
    item_ids: npt.NDArray[Any]


def read_log(
    path: Path, *, columns: Sequence[str], context: Sequence[str] = (), is_parquet: bool = False
) -> FileLog:
    """`columns` are those of user, item, weight and time; '-' or left out where there is none. `context`
    are further columns to keep.

    Ids may be anything; a time is a timestamp or a number of seconds. All columns given as numbers: a CSV
    file without a header. Without times, the order in the file is the order in time.
    """
    names = _names(columns)
    return _log(_read(path, [*names, *context], is_parquet), names, context, path)


def read_folds(
    pairs: Sequence[tuple[Path, Path]], *, columns: Sequence[str], context: Sequence[str] = ()
) -> list[tuple[FileLog, npt.NDArray[np.bool_]]]:
    """Official folds, each a file to train on and one to test on (CSV, or Parquet by its ending): all events
    of both, and which of them are held back.
    """
    names, found = _names(columns), []
    for train, test in pairs:
        tables = [_read(path, [*names, *context], path.suffix == ".parquet") for path in (train, test)]
        held = np.repeat([False, True], [table.num_rows for table in tables])
        found.append((_log(pa.concat_tables(tables), names, context, train), held))
    return found


def read_items(path: Path, *, item_column: str, item_ids: npt.NDArray[Any]) -> ItemFeatures:
    """What a file says about the items, in the order of `item_ids`; one row each, others are left out.

    The column `tags` holds words between |; other columns of text become the text, numbers are numbers.
    """
    table = _read(path, (), path.suffix == ".parquet")
    if item_column not in table.column_names:
        raise FileError(f"{path} has no column {item_column!r}; it has {', '.join(table.column_names)}")
    places = {str(item): at for at, item in enumerate(table.column(item_column).to_pylist())}
    rows = [places.get(str(item)) for item in item_ids.tolist()]
    texts: list[list[str]] = [[] for _ in rows]
    tags: list[list[str]] = [[] for _ in rows]
    numbers: dict[str, npt.NDArray[np.float64]] = {}
    for name in table.column_names:
        values = table.column(name).to_pylist() if name != item_column else []
        own = [None if at is None or not values else values[at] for at in rows]
        if name == TAGS:
            tags = [str(value).split("|") if value else [] for value in own]
        elif values and _is_text(table.schema.field(name).type):
            texts = [
                [*words, str(value)] if value else words for words, value in zip(texts, own, strict=True)
            ]
        elif values:
            numbers[name] = np.array([np.nan if value is None else value for value in own], dtype=np.float64)
    return ItemFeatures(texts=["\n".join(words) for words in texts], tags=tags, numbers=numbers)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _names(columns: Sequence[str]) -> list[str]:
    names = [name.strip() for name in columns] + ["-"] * (4 - len(columns))
    if len(names) != 4 or "-" in names[:2]:
        raise FileError("give the columns of user, item, weight and time, in that order")
    return names


def _read(path: Path, names: Sequence[str], is_parquet: bool) -> pa.Table:
    try:
        return parquet.read_table(path) if is_parquet else _read_csv(path, names)
    except (OSError, pa.ArrowException) as error:
        raise FileError(f"{path} cannot be read: {error}") from error


def _log(table: pa.Table, names: Sequence[str], context: Sequence[str], path: Path) -> FileLog:
    optional = {name for name in ("weight", "timestamp") if name not in table.column_names}
    names = ["-" if name in optional else name for name in names]
    missing = [name for name in [*names, *context] if name != "-" and name not in table.column_names]
    if missing:
        raise FileError(f"{path} has no column {missing[0]!r}; it has {', '.join(table.column_names)}")
    users, user_ids = _numbered(table.column(names[0]))
    items, item_ids = _numbered(table.column(names[1]))
    count = table.num_rows
    weights = np.ones(count, np.float32) if names[2] == "-" else _floats(table.column(names[2]))
    times = np.arange(count) if names[3] == "-" else _seconds(table.column(names[3]))
    kept = {name: _words(table.column(name)) for name in context}
    return FileLog(Log(users, items, weights, times, (len(user_ids), len(item_ids)), kept), item_ids)


def _read_csv(path: Path, names: Sequence[str]) -> pa.Table:
    with pa.input_stream(path) as stream:
        first = stream.read(4096).partition(b"\n")[0]
    parse = csv.ParseOptions(delimiter="\t" if b"\t" in first else ",")
    has_header = not names or not all(name == "-" or name.isdigit() for name in names)
    table = csv.read_csv(
        path, read_options=csv.ReadOptions(autogenerate_column_names=not has_header), parse_options=parse
    )
    return table if has_header else table.rename_columns([str(at) for at in range(table.num_columns)])


def _numbered(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    if column.null_count:
        raise FileError("a user or an item is missing in some rows")
    ids, numbers = np.unique(column.to_numpy(), return_inverse=True)
    return numbers.astype(np.int64), ids


def _words(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.array(["" if value is None else str(value) for value in column.to_pylist()])


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    return np.asarray(column.to_numpy(), dtype=np.float32)


def _seconds(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = pc.cast(pc.cast(column, pa.timestamp("s"), safe=False), pa.int64())
    return np.asarray(column.to_numpy(), dtype=np.int64)
