"""Which messages the orders are credited to, by clicks before them. Credit is not cause: what a campaign
earned is the experiment's effect; this is the usual table beside it.

last: the order belongs to the last click before it within the window. linear: all clicks in the window, of
whatever campaigns, share it equally. Clicks by machines count for nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from campaigns.models import Run
from personalization.customers.recent import recent
from personalization.privacy.floor import is_reportable

ORDER = "Order Completed"
WINDOW_DAYS = 7
MAX_WINDOW_DAYS = 90


@dataclass(frozen=True)
class Credit:
    """`customers` ordered after a click; `orders` of the linear model are fractions."""

    variant: str
    customers: int
    last_orders: int
    last_value: Decimal
    linear_orders: float
    linear_value: Decimal


def credits_of(run: Run, *, event: str = ORDER, window_days: int = WINDOW_DAYS) -> list[Credit]:
    """One row per variant that has any, by key. Raises ValueError for a window out of range."""
    if not 1 <= window_days <= MAX_WINDOW_DAYS:
        raise ValueError("the window has 1 to 90 days")
    window = timedelta(days=window_days)
    asked: Any = {"run": run.pk, "event": event, "since": run.launched_at, "window": window}
    with connection.cursor() as cursor:
        cursor.execute(_CREDITS, asked)
        return [Credit(*row) for row in cursor.fetchall()]


def told_credits(found: list[Credit], *, whole: bool) -> list[Credit]:
    """Without those of too few customers for who may not see personal data: orders and money of somebody."""
    return [one for one in found if whole or is_reportable(one.customers)]


def credits_context(run: Run, *, whole: bool) -> dict[str, Any]:
    """For the report's page, some seconds old where very many clicked. `credits` are pairs of the variant's
    name and its credit; None while they are counted first."""
    found = recent(f"campaigns:credits:{run.pk}", lambda: credits_of(run))
    if not found:
        return {"credits": found, "credit_days": WINDOW_DAYS}
    names = dict(run.experiment.variants.values_list("key", "name"))
    told = [(names.get(one.variant, one.variant), one) for one in told_credits(found, whole=whole)]
    return {"credits": told, "credit_days": WINDOW_DAYS}


_CREDITS = """
    WITH own AS (
        SELECT DISTINCT customer_id FROM events_event
        WHERE name = 'Message Clicked' AND occurred_at >= %(since)s
            AND properties @> jsonb_build_object('run', %(run)s::bigint)
    ), clicks AS (
        SELECT e.customer_id, e.occurred_at, (e.properties->>'run')::bigint AS run,
            e.properties->>'variant' AS variant
        FROM events_event AS e JOIN own USING (customer_id)
        WHERE e.name = 'Message Clicked' AND e.occurred_at >= %(since)s - %(window)s
            AND NOT e.properties @> '{"machine": true}'
    ), orders AS (
        SELECT e.customer_id, e.message_key, e.occurred_at, coalesce(e.value, 0) AS value
        FROM events_event AS e JOIN own USING (customer_id)
        WHERE e.name = %(event)s AND e.occurred_at >= %(since)s
    ), pairs AS (
        SELECT o.customer_id, o.value, c.run, c.variant,
            row_number() OVER (one ORDER BY c.occurred_at DESC) AS place, count(*) OVER one AS n
        FROM orders AS o JOIN clicks AS c ON c.customer_id = o.customer_id
            AND c.occurred_at <= o.occurred_at AND c.occurred_at > o.occurred_at - %(window)s
        WINDOW one AS (PARTITION BY o.customer_id, o.message_key)
    )
    SELECT coalesce(variant, ''), count(DISTINCT customer_id), count(*) FILTER (WHERE place = 1),
        round(coalesce(sum(value) FILTER (WHERE place = 1), 0), 2), sum(1.0 / n)::float8,
        round(sum(value / n), 2)
    FROM pairs WHERE run = %(run)s GROUP BY 1 ORDER BY 1
"""
