"""Queries that are asked thousands of times a minute, by the lowest layer of the driver.

A cursor of the driver runs some hundred Python functions for each query. That is nothing beside a query of
thousands of rows, and most of the time of one that reads a single row.
"""

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import psycopg
from django.db import connection
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

# An array on the wire: dimensions, whether there are NULLs, type, length, first index; then each value behind
# its own length.
_ARRAY_HEADER = 20
# What each connection has prepared; of connections that keep it.
_prepared: WeakKeyDictionary[psycopg.Connection[Any], set[bytes]] = WeakKeyDictionary()


def keep_prepared() -> None:
    """From now on this thread's connection plans each query once. Not behind a pooler, which would hand it to
    others."""
    connection.ensure_connection()
    _prepared.setdefault(connection.connection, set())


class Query:
    """`sql` has its parameters as $1, $2, …, with casts where their type does not follow from their place."""

    def __init__(self, name: str, sql: str, *, binary: bool = False) -> None:
        self._name, self._sql, self._format = name.encode(), sql.encode(), int(binary)

    def run(self, *parameters: bytes | None) -> PGresult:
        """Parameters as texts (see `text`, `array`). Raises the driver's errors; the next in a connection
        that is gone finds it closed."""
        connection.ensure_connection()
        mine: psycopg.Connection[Any] = connection.connection
        given: Any = parameters  # the driver takes None for NULL, whatever its hints say
        names = _prepared.get(mine)
        if names is None:
            result = mine.pgconn.exec_params(self._sql, given, result_format=self._format)
        else:
            if self._name not in names:
                _check(mine, mine.pgconn.prepare(self._name, self._sql))
                names.add(self._name)
            result = mine.pgconn.exec_prepared(self._name, given, result_format=self._format)
        return _check(mine, result)


def text(value: str) -> bytes:
    """Raises ValueError for one with a NUL, which PostgreSQL cannot hold."""
    if "\0" in value:
        raise ValueError("a text for PostgreSQL has a NUL")
    return value.encode()


def array(values: Iterable[int | str]) -> bytes:
    return b"{" + b",".join(map(_element, values)) + b"}"


def read_array(raw: bytes | None, kind: str) -> npt.NDArray[Any]:
    """A binary array of values of 8 bytes, none of them NULL, as numpy has them: `kind` ">i8" or ">f8"."""
    plain = np.dtype(kind).newbyteorder("=")
    if raw is None or len(raw) <= _ARRAY_HEADER:
        return np.zeros(0, dtype=plain)
    row = np.dtype([("length", ">i4"), ("value", kind)])
    return np.frombuffer(raw, dtype=row, offset=_ARRAY_HEADER)["value"].astype(plain)


def _element(value: int | str) -> bytes:
    if isinstance(value, str):
        return b'"' + text(value).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"%d" % value


def _check(mine: psycopg.Connection[Any], result: PGresult) -> PGresult:
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return result
    if mine.closed:
        raise psycopg.OperationalError("the connection to PostgreSQL is lost")
    raise error_from_result(result, encoding=mine.info.encoding)
