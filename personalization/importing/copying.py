"""The bulk write under customers and items: COPY to a temporary table, then one sorted upsert."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from personalization.importing.pipeline import Written


def upsert(
    *, table: str, key: str, types: Mapping[str, str], records: Sequence[Sequence[Any]],
    update: Mapping[str, str], constants: Mapping[str, str],
) -> Written:  # fmt: skip
    """COPY into a temporary table shaped by `types`, then one INSERT … ON CONFLICT (key) DO UPDATE, sorted.

    `update`: column → SQL over `t` (stored) and `excluded` (new). Rows that would not change are not touched.
    `constants`: further columns of new rows → SQL. One record per key: the caller merges doubles.
    """
    names = ", ".join(types)
    staging = f"{table}_staging"
    shape = ", ".join(f"{name} {kind}" for name, kind in types.items())
    stored = ", ".join(f"t.{name}" for name in update)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} ({shape}) ON COMMIT DELETE ROWS")
        with cursor.copy(f"COPY {staging} ({names}) FROM STDIN") as copy:
            for record in records:
                copy.write_row(record)
        extra = "".join(f", {name}" for name in constants)
        extra_values = "".join(f", {value}" for value in constants.values())
        changes = ", ".join(f"{name} = {value}" for name, value in update.items())
        cursor.execute(
            f"INSERT INTO {table} AS t ({names}{extra})"  # noqa: S608 - our own names
            f" SELECT {names}{extra_values} FROM {staging} ORDER BY {key}"
            f" ON CONFLICT ({key}) DO UPDATE SET {changes}, updated_at = now()"
            f" WHERE ({stored}) IS DISTINCT FROM ({', '.join(update.values())}) RETURNING (xmax = 0)"
        )
        is_new = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"DELETE FROM {staging}")  # noqa: S608
    return Written(new=sum(is_new), changed=len(is_new) - sum(is_new))
