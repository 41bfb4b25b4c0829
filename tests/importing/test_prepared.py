"""Queries by the lowest layer of the driver answer what its cursors answer."""

import numpy as np
import psycopg
import pytest
from django.db import connection

from personalization.importing import prepared
from personalization.importing.prepared import Query, array, keep_prepared, read_array, text

pytestmark = pytest.mark.django_db


def kept():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements ORDER BY name")
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def own_connection():
    """Prepared statements outlive the transaction of a test."""
    yield
    prepared._prepared.pop(connection.connection, None)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")


@pytest.mark.parametrize("value", ["", "plain", 'a "quoted" one', "back\\slash", "{,}", "NULL", "茶 ✓", " "])
def test_texts_arrive_as_they_are(value):
    row = Query("echo", "SELECT $1::text, ($2::text[])[2], cardinality($2)").run(
        text(value), array(["", value])
    )
    assert [row.get_value(0, n).decode() for n in range(3)] == [value, value, "2"]


def test_nothing_is_null():
    row = Query("null", "SELECT $1::text, cardinality($2::bigint[])").run(None, array([]))
    assert (row.get_value(0, 0), row.get_value(0, 1)) == (None, b"0")


def test_a_text_with_a_nul_is_refused_before_the_database_sees_it():
    with pytest.raises(ValueError, match="NUL"):
        array(["a\0b"])


@pytest.mark.parametrize(("kind", "values"), [(">i8", [1, -2, 2**62]), (">f8", [0.5, -1e300]), (">i8", [])])
def test_columns_become_arrays(kind, values):
    cast = "float8" if kind == ">f8" else "bigint"
    written = "{" + ",".join(map(repr, values)) + "}"
    sql = f"SELECT array_agg(value) FROM unnest($1::{cast}[]) value"
    found = read_array(Query("agg", sql, binary=True).run(written.encode()).get_value(0, 0), kind)
    assert found.tolist() == values and found.dtype == np.dtype(kind).newbyteorder("=")


def test_a_query_is_planned_once_only_where_the_connection_keeps_it(own_connection):
    query = Query("sum", "SELECT $1::int + 1")
    assert query.run(b"1").get_value(0, 0) == b"2"
    assert kept() == []
    keep_prepared()
    assert [query.run(b"%d" % n).get_value(0, 0) for n in (1, 2)] == [b"2", b"3"]
    assert kept() == ["sum"]


def test_an_error_is_the_drivers(own_connection):
    keep_prepared()
    with pytest.raises(psycopg.errors.UndefinedTable):
        Query("wrong", "SELECT * FROM nowhere").run()
