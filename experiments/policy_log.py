"""A log of decisions from a file: actions, the chances they were taken with, rewards, and what was known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.off_policy import Log
from experiments.uplift.table import Encoder, Table
from personalization.importing.reading import read_file
from personalization.importing.values import RowError


class BadLog(ValueError):
    """The file cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Columns:
    """Names of columns. `target`: the new policy's chance of the action that was taken."""

    action: str = "action"
    propensity: str = "propensity"
    reward: str = "reward"
    target: str | None = None
    contexts: tuple[str, ...] = ()


@dataclass(frozen=True)
class PolicyLog:
    """`actions` are the names behind the log's numbers; `contexts` are decisions × columns."""

    log: Log
    actions: list[str]
    target: NDArray[np.float64] | None
    contexts: NDArray[np.float64] | None


def read_policy_log(path: Path, columns: Columns) -> PolicyLog:
    """A CSV, JSON Lines or Parquet file. Raises BadLog, UnreadableFile."""
    numeric = [columns.propensity, columns.reward, *([columns.target] if columns.target else [])]
    wanted = [columns.action, *numeric, *columns.contexts]
    found: dict[str, list[Any]] = {name: [] for name in wanted}
    for line, row in read_file(path):
        if isinstance(row, RowError):
            raise BadLog(f"line {line}: {row}")
        for name in wanted:
            if name not in row:
                raise BadLog(f"there is no column {name!r}; there are: {', '.join(row)}")
            found[name].append(_number(row[name], name, line) if name in numeric else row[name])
    names = sorted({str(action) for action in found[columns.action]})
    number = {name: place for place, name in enumerate(names)}
    try:
        log = Log(
            np.array([number[str(action)] for action in found[columns.action]], dtype=np.intp),
            np.array(found[columns.propensity], dtype=np.float64),
            np.array(found[columns.reward], dtype=np.float64),
        )
    except ValueError as error:
        raise BadLog(str(error)) from error
    target = np.array(found[columns.target]) if columns.target else None
    words = {name: np.array([str(v) for v in found[name]], dtype=object) for name in columns.contexts}
    contexts = None
    if words:
        table = Table(words=words)
        contexts = Encoder(table).matrix(table)
    return PolicyLog(log, names, target, contexts)


def _number(value: Any, name: str, line: int) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise BadLog(f"line {line}: {name} is no number: {value!r}") from error
