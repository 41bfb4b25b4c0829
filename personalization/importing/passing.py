"""Values to PostgreSQL and back in the shortest way, where it is gone thousands of times."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from django.db import connection
from django.db.models.expressions import RawSQL


def these(ids: Iterable[int]) -> RawSQL:
    """For `pk__in=`: one array instead of a parameter for each id. An empty one matches nobody."""
    return RawSQL("SELECT unnest(%s::bigint[])", [numbers(ids)])


def numbers(ids: Iterable[int]) -> str:
    """An array as PostgreSQL writes it, for `%s::bigint[]`: of a list the driver turns over each number by
    itself, which takes five times as long."""
    return "{" + ",".join(map(str, ids)) + "}"


def _plain(value: object) -> str:
    """Also of a kind of text whose `str` is itself, as Django's safe text is."""
    return "".join(value) if isinstance(value, str) else str(value)


json_bytes = msgspec.json.Encoder(enc_hook=_plain).encode  # a tenth of the time that `json` takes


def ask(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Rows of a statement that stands written: Django takes longer to build a small one anew each time than
    PostgreSQL to answer it."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


@contextmanager
def binary_cursor() -> Iterator[psycopg.Cursor]:
    """The driver's own, in Django's transaction: bytes travel as they are. Django's cursor writes them into
    the statement as twice as many hexadecimal digits."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor
