"""Orders put together from their events: what a customer bought last."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection


@dataclass(frozen=True)
class Order:
    """`total` of the order itself, else of its lines; `lines` are item ids with how many."""

    order_id: str
    at: datetime
    total: Decimal | None
    currency: str
    lines: tuple[tuple[int, float], ...]


def last_orders(
    customer_ids: Collection[int], *, count: int, since: datetime, until: datetime
) -> dict[int, list[Order]]:
    """The newest orders of each customer, newest first, in one query; who has none is absent.

    Without an order id, what happened at one moment is one order.
    """
    found: dict[int, list[Order]] = {}
    if not customer_ids:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            _LAST, {"customers": list(customer_ids), "count": count, "since": since, "until": until}
        )
        for customer, order_id, at, total, currency, items, amounts in cursor.fetchall():
            lines = tuple((item, float(n)) for item, n in zip(items or (), amounts or (), strict=True))
            found.setdefault(customer, []).append(Order(order_id, at, total, currency or "", lines))
    return found


_LAST = """
    SELECT asked.customer_id, o.*
    FROM unnest(%(customers)s::bigint[]) AS asked(customer_id)
    CROSS JOIN LATERAL (
        SELECT coalesce(e.properties->>'order_id', e.occurred_at::text) AS order_id,
            max(e.occurred_at) AS at,
            coalesce(max(e.value) FILTER (WHERE e.name = 'Order Completed'), sum(e.value)) AS total,
            max(e.properties->>'currency') AS currency,
            array_agg(e.item_id ORDER BY e.item_id) FILTER (WHERE e.item_id IS NOT NULL) AS items,
            array_agg(
                CASE WHEN jsonb_typeof(e.properties->'quantity') = 'number'
                    THEN (e.properties->>'quantity')::numeric ELSE 1 END ORDER BY e.item_id
            ) FILTER (WHERE e.item_id IS NOT NULL) AS amounts
        FROM events_event AS e
        WHERE e.customer_id = asked.customer_id AND e.name IN ('Order Completed', 'Order Line')
            AND e.occurred_at >= %(since)s AND e.occurred_at <= %(until)s
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(count)s
    ) AS o
    ORDER BY asked.customer_id, o.at DESC, o.order_id
"""
