"""A metric as it really is: one number for each past customer, zeros and outliers included.

The newest stretch of the past that has data is looked at as if everybody had been assigned at its beginning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import BigIntegerField, F, Max, QuerySet, Value
from django.db.models.functions import Mod
from django.utils import timezone
from numpy.typing import NDArray

from experiments import metrics
from experiments.models import Assignment, Experiment, Metric, MetricScope, Variant
from experiments.sums.questions import BOT_FLAGS
from personalization.customers.models import Customer
from personalization.events.models import Event

SAMPLE = 50_000
BATCH = 50_000
AGGREGATE = {"any": "least(count(e.name), 1)", "count": "count(e.name)", "sum": "coalesce(sum(e.value), 0)"}


@dataclass(frozen=True)
class History:
    """`values[i, j]` is customer i's number within the first `days[j]` days; rows are a random sample.

    `until` is where the past stretch ends; `population` how many customers it was drawn from.
    """

    values: NDArray[np.float64]
    days: tuple[float, ...]
    until: datetime
    population: int


def is_number_of_customer(metric: Metric) -> bool:
    """Quotients and quantiles are not: they are made of many customers."""
    return metric.kind in metrics.names() and metrics.get(metric.kind).needs <= {"from_day"}


def load_history(
    metric: Metric,
    *,
    days: Sequence[float],
    customers: QuerySet[Customer] | None = None,
    now: datetime | None = None,
    limit: int = SAMPLE,
) -> History | None:
    """None when the event never happened or the kind cannot be asked. `customers`: of whom (None: everybody).

    A metric of a campaign's own events is asked of past messages instead: one number for each that was sent.
    """
    now = now or timezone.now()
    if not is_number_of_customer(metric):
        return None
    newest = Event.objects.filter(name=metric.event, occurred_at__lt=now).aggregate(at=Max("occurred_at"))[
        "at"
    ]
    if newest is None:
        return None
    until = min(now, newest + timedelta(microseconds=1))
    if metric.scope == MetricScope.EXPERIMENT:
        return _of_messages(metric, days, until, limit)
    people = Customer.objects.all() if customers is None else customers
    ids, population = _sample(people, limit)
    start = until - timedelta(days=max(days))
    parts = [_of_customers(metric, ids[at : at + BATCH], start, days) for at in range(0, len(ids), BATCH)]
    values = np.concatenate(parts) if parts else np.empty((0, len(days)))
    return History(values, tuple(days), until, population)


def _sample(people: QuerySet[Customer], limit: int) -> tuple[list[int], int]:
    """A part of them chosen by a hash of the key: the same whenever it is asked."""
    population = people.count()
    people = people.order_by()
    if population > limit:
        spread: Any = Mod(F("pk") * Value(2_654_435_761, BigIntegerField()), Value(2**32, BigIntegerField()))
        people = people.annotate(part=spread).filter(part__lt=int(2**32 * limit / population))
    return list(people.values_list("pk", flat=True)), population


def _of_customers(
    metric: Metric, ids: list[int], start: datetime, days: Sequence[float]
) -> NDArray[np.float64]:
    conditions, parameters = _events_of(metric)
    columns = _columns(metric, "%(start)s::timestamptz", days)
    return _matrix(
        f"""
        SELECT {columns}
        FROM unnest(%(ids)s::bigint[]) AS c(id)
        LEFT JOIN {Event._meta.db_table} e ON e.customer_id = c.id
            AND e.occurred_at >= %(start)s AND e.occurred_at < %(end)s AND {conditions}
        GROUP BY c.id
        """,  # noqa: S608  (table names and our own fragments only)
        parameters | {"ids": ids, "start": start, "end": start + timedelta(days=max(days))},
        len(days),
    )


def _of_messages(metric: Metric, days: Sequence[float], until: datetime, limit: int) -> History | None:
    conditions, parameters = _events_of(metric)
    columns = _columns(metric, "a.assigned_at", days)
    last = until - timedelta(days=max(days))
    values = _matrix(
        f"""
        WITH a AS (
            SELECT a.id, a.customer_id, a.assigned_at, x.key
            FROM {Assignment._meta.db_table} a
            JOIN {Variant._meta.db_table} v ON v.id = a.variant_id AND NOT v.is_control
            JOIN {Experiment._meta.db_table} x ON x.id = a.experiment_id
            WHERE a.assigned_at <= %(last)s ORDER BY a.assigned_at DESC, a.id LIMIT %(limit)s
        )
        SELECT {columns} FROM a
        LEFT JOIN {Event._meta.db_table} e ON e.customer_id = a.customer_id
            AND e.occurred_at >= a.assigned_at AND e.properties ->> 'experiment' = a.key AND {conditions}
        GROUP BY a.id, a.assigned_at
        """,  # noqa: S608
        parameters | {"last": last, "limit": limit},
        len(days),
    )
    return History(values, tuple(days), until, len(values)) if len(values) else None


def _events_of(metric: Metric) -> tuple[str, dict[str, Any]]:
    """SQL that finds the metric's events, with its parameters."""
    conditions, parameters = "e.name = %(event)s", {"event": metric.event}
    if metric.property_name:
        conditions += " AND e.properties ->> %(property)s = %(property_value)s"
        parameters |= {"property": metric.property_name, "property_value": metric.property_value}
    if metric.event.startswith("Message "):
        conditions += "".join(
            f" AND NOT coalesce(e.properties -> '{flag}' = 'true', false)" for flag in BOT_FLAGS
        )
    return conditions, parameters


def _columns(metric: Metric, start: str, days: Sequence[float]) -> str:
    aggregate = AGGREGATE[metrics.get(metric.kind).reduction]
    columns = []
    for day in days:
        # From the aggregate's own bracket to a filter on it: least(count(…) FILTER (…), 1).
        condition = (
            f"FILTER (WHERE e.occurred_at >= {start} + interval '{metric.from_day} days'"
            f" AND e.occurred_at < {start} + interval '{float(day)} days')"
        )
        column = aggregate.replace("count(e.name)", f"count(e.name) {condition}").replace(
            "sum(e.value)", f"sum(e.value) {condition}"
        )
        if metric.cap is not None:
            column = f"least({column}, {metric.cap})"
        columns.append(f"({column})::float8")
    return ", ".join(columns)


def _matrix(query: str, parameters: dict[str, Any], width: int) -> NDArray[np.float64]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return np.array(cursor.fetchall(), dtype=np.float64).reshape(-1, width)
