"""Who opens, clicks and buys: while a sender warms up they are written to first, and speak for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection

EVENTS = ("Message Opened", "Message Clicked", "Order Completed")
LOOK_BACK = timedelta(days=90)


def engaged(customer_ids: Sequence[int], *, now: datetime) -> set[int]:
    """Those with such an event lately; what scanners opened tells nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_ENGAGED, [list(customer_ids), list(EVENTS), now - LOOK_BACK, now])
        return {row[0] for row in cursor.fetchall()}


_ENGAGED = """
    SELECT DISTINCT customer_id FROM events_event
    WHERE customer_id = ANY(%s) AND name = ANY(%s) AND occurred_at > %s AND occurred_at <= %s
        AND coalesce(properties ->> 'machine', 'false') <> 'true'
"""
