"""The customers and items that a call names, in one question: it stands before every event."""

from collections.abc import Collection
from typing import NamedTuple

import psycopg
from django.db import connection

from personalization.catalog.models import Item
from personalization.customers.models import Customer


class Known(NamedTuple):
    """Our ids by the shop's own, of those that exist."""

    users: dict[str, int]
    items: dict[str, int]


def look_up(*, user_ids: Collection[str], items: Collection[str]) -> Known:
    """The customers are locked, as by `customers.resolve`: nobody erases them or merges them away before the
    caller's transaction ends. Who is missing may still be known by a former id.
    """
    if not user_ids and not items:
        return Known({}, {})
    known = Known({}, {})
    # The driver's own cursor: Django's never prepares a query.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_QUERY, [list(user_ids), list(items)])
        for is_user, name, pk in cursor.fetchall():
            (known.users if is_user else known.items)[name] = pk
    return known


# In the order of the customers, so that two batches wait for one another and never in a circle.
_QUERY = f"""
    WITH locked AS MATERIALIZED (
        SELECT external_id, id FROM {Customer._meta.db_table}
        WHERE external_id = ANY(%s::text[]) ORDER BY id FOR KEY SHARE
    )
    SELECT true, external_id, id FROM locked
    UNION ALL SELECT false, external_id, id FROM {Item._meta.db_table} WHERE external_id = ANY(%s::text[])
""".encode()  # noqa: S608  (only names of our own models)
