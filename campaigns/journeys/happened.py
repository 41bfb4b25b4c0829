"""What customers did since a moment of their own: asked for a whole batch in one query."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection


def is_event_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and "\0" not in value


def since(moments: Mapping[int, datetime], names: Sequence[str], *, until: datetime) -> dict[int, datetime]:
    """By customer the first time, from their moment on and up to `until`, of any of the events; those who did
    none are absent."""
    if not moments or not names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [list(moments), list(moments.values()), list(names), until])
        return dict(cursor.fetchall())


_SINCE = """
    SELECT asked.customer_id, min(e.occurred_at)
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS asked(customer_id, moment)
    JOIN events_event AS e ON e.customer_id = asked.customer_id AND e.occurred_at >= asked.moment
    WHERE e.name = ANY(%s) AND e.occurred_at <= %s
    GROUP BY 1
"""
