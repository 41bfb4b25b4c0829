"""Events from a file, for judging recommenders on data that is not in the database."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from recommender.evaluation import Log


class FileError(ValueError):
    """The file cannot be read, or lacks a column."""


def read_log(path: Path, *, columns: Sequence[str], is_parquet: bool = False) -> Log:
    """`columns` are those of user, item, weight and time; '-' or left out where there is none.

    Ids may be anything; a time is a timestamp or a number of seconds. All columns given as numbers: a CSV
    file without a header. Without times, the order in the file is the order in time.
    """
    names = [name.strip() for name in columns] + ["-"] * (4 - len(columns))
    if len(names) != 4 or "-" in names[:2]:
        raise FileError("give the columns of user, item, weight and time, in that order")
    try:
        table = parquet.read_table(path) if is_parquet else _read_csv(path, names)
    except (OSError, pa.ArrowException) as error:
        raise FileError(f"{path} cannot be read: {error}") from error
    optional = {name for name in ("weight", "timestamp") if name not in table.column_names}
    names = ["-" if name in optional else name for name in names]
    missing = [name for name in names if name != "-" and name not in table.column_names]
    if missing:
        raise FileError(f"{path} has no column {missing[0]!r}; it has {', '.join(table.column_names)}")
    user_numbers, n_users = _numbered(table.column(names[0]))
    item_numbers, n_items = _numbered(table.column(names[1]))
    count = table.num_rows
    weights = np.ones(count, np.float32) if names[2] == "-" else _floats(table.column(names[2]))
    times = np.arange(count) if names[3] == "-" else _seconds(table.column(names[3]))
    return Log(user_numbers, item_numbers, weights, times, shape=(n_users, n_items))


def _read_csv(path: Path, names: Sequence[str]) -> pa.Table:
    with pa.input_stream(path) as stream:
        first = stream.read(4096).partition(b"\n")[0]
    parse = csv.ParseOptions(delimiter="\t" if b"\t" in first else ",")
    has_header = not all(name == "-" or name.isdigit() for name in names)
    table = csv.read_csv(
        path, read_options=csv.ReadOptions(autogenerate_column_names=not has_header), parse_options=parse
    )
    return table if has_header else table.rename_columns([str(at) for at in range(table.num_columns)])


def _numbered(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], int]:
    if column.null_count:
        raise FileError("a user or an item is missing in some rows")
    ids, numbers = np.unique(column.to_numpy(), return_inverse=True)
    return numbers.astype(np.int64), len(ids)


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    return np.asarray(column.to_numpy(), dtype=np.float32)


def _seconds(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = pc.cast(pc.cast(column, pa.timestamp("s"), safe=False), pa.int64())
    return np.asarray(column.to_numpy(), dtype=np.int64)
