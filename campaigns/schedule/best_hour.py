"""The hour of their own day at which a customer is most likely to act, from what they opened and bought.

A customer's few actions are drawn towards the hours of everybody asked about: with n actions of their own,
hour h scores (n_h + K * p_h) / (n + K), the posterior mean under a Dirichlet prior of weight K. Fewer than
LEAST actions tell nothing, and the campaign's own hour is taken.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray

from personalization.context.times import zone_names

EVENTS = ("Message Opened", "Message Clicked", "Order Completed")
LOOK_BACK = timedelta(days=180)
PRIOR_WEIGHT = 8.0
LEAST = 3
BATCH = 50_000


def best_hours(customer_ids: Sequence[int], *, now: datetime) -> dict[int, int]:
    """By customer an hour from 0 to 23; absent when it cannot be told."""
    counted: dict[int, NDArray[np.float64]] = {}
    for start in range(0, len(customer_ids), BATCH):
        for customer, hour, n in _counts(customer_ids[start : start + BATCH], now):
            counted.setdefault(customer, np.zeros(24))[hour] += n
    return choose_hours(counted)


def choose_hours(counts: dict[int, NDArray[np.float64]]) -> dict[int, int]:
    """From counts by hour; of equal hours the earlier one."""
    if not counts:
        return {}
    whole = np.sum(list(counts.values()), axis=0) + 1.0
    prior = whole / whole.sum()
    found = {}
    for customer, own in counts.items():
        if own.sum() >= LEAST:
            found[customer] = int(np.argmax(own + PRIOR_WEIGHT * prior))
    return found


def _counts(customer_ids: Sequence[int], now: datetime) -> list[tuple[int, int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_HOUR,
            {
                "ids": list(customer_ids), "names": list(EVENTS), "after": now - LOOK_BACK, "now": now,
                "zones": sorted(zone_names()), "default": settings.TIME_ZONE,
            },
        )  # fmt: skip
        return [(customer, int(hour), n) for customer, hour, n in cursor.fetchall()]


# Only names that PostgreSQL knows as well; what scanners opened is not the customer's hour.
_BY_HOUR = """
    SELECT e.customer_id, extract(hour FROM e.occurred_at AT TIME ZONE
            CASE WHEN z.name IS NULL THEN %(default)s ELSE z.name END) AS hour, count(*)
    FROM events_event AS e
    JOIN customers_customer AS c ON c.id = e.customer_id
    LEFT JOIN (SELECT name FROM pg_timezone_names INTERSECT SELECT unnest(%(zones)s::text[])) AS z
        ON z.name = c.time_zone
    WHERE e.customer_id = ANY(%(ids)s) AND e.name = ANY(%(names)s)
        AND e.occurred_at > %(after)s AND e.occurred_at <= %(now)s
        AND coalesce(e.properties ->> 'machine', 'false') <> 'true'
    GROUP BY 1, 2
"""
