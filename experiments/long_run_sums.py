"""From the database: weekly sums of revenue of customers in and out of a holdout, and of messages sent."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from experiments.long_run import Week, WeekSums
from personalization.customers.models import Customer
from personalization.events.models import Event

WEEK = timedelta(days=7)
SENT = "Message Sent"


def load_weeks(
    held_out: QuerySet[Any],
    *,
    since: datetime,
    until: datetime,
    event: str = "Order Completed",
    cost_per_message: Decimal = Decimal(0),
) -> list[Week]:
    """Weeks counted from `since`, the last one as far as `until`.

    `held_out` yields customer ids, as `HoldoutMember.objects.filter(…).values("customer_id")`: those drawn
    at `since` and never let go, and those who came later and were drawn then. Choose it by the draw alone, so
    that membership says nothing about what a customer did. Customers count from the week they came to us; all
    events named `event` from `since` on count for those drawn, wherever they came from.
    Raises ValueError when `until` is not after `since`.
    """
    if until <= since:
        raise ValueError("until must be after since")
    members, member_parameters = held_out.query.sql_with_params()
    last = (until - since - timedelta(microseconds=1)) // WEEK
    arms: dict[bool, list[WeekSums]] = {held: [WeekSums()] * (last + 1) for held in (False, True)}
    for query, parameters in (
        (_CAME.format(members=members), [since, *member_parameters, until]),
        (_SPENT.format(members=members), [*member_parameters, until, since, event, since, until]),
    ):
        for held, week, n, total, squares in _rows(query, parameters):
            arms[held][week] += WeekSums(n, total, squares)
    sent = dict(_rows(_MESSAGES, [since, SENT, since, until]))
    return [
        Week(
            (since + week * WEEK).date(), arms[False][week], arms[True][week], sent.get(week, 0),
            cost_per_message * sent.get(week, 0),
        )
        for week in range(last + 1)
    ]  # fmt: skip


_CUSTOMERS, _EVENTS = Customer._meta.db_table, Event._meta.db_table
_CAME = f"""
    SELECT h.id IS NOT NULL, greatest(floor(extract(epoch FROM c.created_at - %s) / 604800), 0)::int,
           count(*), 0::numeric, 0::numeric
    FROM {_CUSTOMERS} c LEFT JOIN (SELECT DISTINCT m.* FROM ({{members}}) m) h(id) ON h.id = c.id
    WHERE c.created_at < %s GROUP BY 1, 2
"""  # noqa: S608  (table names and a compiled query only)
# A customer's total moves from before to before + step in a week; its square by 2·before·step + step².
_SPENT = f"""
    WITH member(id) AS (SELECT DISTINCT m.* FROM ({{members}}) m), weekly AS (
        SELECT e.customer_id, c.created_at < %s AS counts,
               floor(extract(epoch FROM e.occurred_at - %s) / 604800)::int AS week,
               coalesce(sum(e.value), 0)::numeric AS step
        FROM {_EVENTS} e JOIN {_CUSTOMERS} c ON c.id = e.customer_id
        WHERE e.name = %s AND e.occurred_at >= %s AND e.occurred_at < %s
        GROUP BY 1, 2, 3
    ), steps AS (
        SELECT customer_id, week, step, coalesce(sum(step) OVER (
            PARTITION BY customer_id ORDER BY week ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS before
        FROM weekly WHERE counts
    )
    SELECT h.id IS NOT NULL, week, 0, sum(step), sum(2 * before * step + step * step)
    FROM steps LEFT JOIN member h ON h.id = steps.customer_id GROUP BY 1, 2
"""  # noqa: S608
_MESSAGES = f"""
    SELECT floor(extract(epoch FROM occurred_at - %s) / 604800)::int, count(*)
    FROM {_EVENTS} WHERE name = %s AND occurred_at >= %s AND occurred_at < %s GROUP BY 1
"""  # noqa: S608


def _rows(query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()
