"""Many values to PostgreSQL as one: Django would write each into the statement by itself."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from django.db.models.expressions import RawSQL


def these(ids: Iterable[int]) -> RawSQL:
    """For `pk__in=`: one array instead of a parameter for each id. An empty one matches nobody."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])


def these_texts(values: Iterable[str]) -> RawSQL:
    """The same for a column of texts."""
    return RawSQL("SELECT unnest(%s::text[])", [list(values)])


@contextmanager
def binary_cursor() -> Iterator[psycopg.Cursor]:
    """The driver's own, in Django's transaction: bytes travel as they are. Django's cursor writes them into
    the statement as twice as many hexadecimal digits."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor
