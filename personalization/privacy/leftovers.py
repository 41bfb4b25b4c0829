"""Looks for texts that identify a person in every column of every table, and takes them out of JSON."""

import json
import re
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import JSONField
from psycopg import sql

from personalization.privacy.declared import declared

ERASED = "[erased]"
_COLUMNS = """
    SELECT c.table_name, array_agg(c.column_name::text ORDER BY c.ordinal_position)
    FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
    WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
      AND (c.data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'xml', 'inet', 'uuid')
           OR (c.data_type = 'ARRAY' AND c.udt_name IN ('_text', '_varchar', '_jsonb', '_json')))
    GROUP BY c.table_name ORDER BY c.table_name
"""


def find_leftovers(needles: Sequence[str]) -> dict[str, int]:
    """Rows by table in which one of the texts still stands anywhere, in upper or lower case.

    Reads whole tables: seconds per ten million rows, so nothing for a request to wait for.
    """
    if not needles:
        return {}
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, columns in cursor.fetchall():
            clause = sql.SQL(" OR ").join(
                sql.SQL("{}::text ILIKE ANY(%(patterns)s)").format(sql.Identifier(column))
                for column in columns
            )
            query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(sql.Identifier(table), clause)
            cursor.execute(query, {"patterns": [_pattern(needle) for needle in needles]})
            if count := cursor.fetchone()[0]:
                found[table] = count
    return found


def redact_mentions(needles: Sequence[str]) -> int:
    """Takes the texts out of the JSON of other people's rows (who recommended whom …); the rows changed."""
    count = 0
    for model, _data in declared():
        for field in model._meta.concrete_fields:
            if isinstance(field, JSONField):
                for needle in needles:
                    count += _redact(model._meta.db_table, str(field.column), needle)
    return count


def _redact(table: str, column: str, needle: str) -> int:
    inside = json.dumps(needle, ensure_ascii=False)[1:-1]  # as it stands within a JSON text
    names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
    query = sql.SQL(
        "UPDATE {table} SET {column} = regexp_replace({column}::text, %s, %s, 'gi')::jsonb"
        " WHERE {column}::text ILIKE %s"
    ).format(**names)
    with connection.cursor() as cursor:
        arguments: list[Any] = [re.sub(r"(\W)", r"\\\1", inside, flags=re.ASCII), ERASED, _pattern(inside)]
        cursor.execute(query, arguments)
        return int(cursor.rowcount)


def _pattern(text: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
