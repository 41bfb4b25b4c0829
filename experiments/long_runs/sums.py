"""From the database: weekly sums of revenue of customers in and out of a holdout, and of messages sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from experiments.assignment import hash_fractions
from experiments.long_runs.long_run import Week, WeekSums
from experiments.models import Holdout
from experiments.traffic.rules import hash_values
from personalization.access.jobs.work import Tell, nobody_listens, part_of
from personalization.customers.models import Customer
from personalization.events.models import Event

WEEK = timedelta(days=7)
SENT = "Message Sent"
CHUNK = 50_000
# Of the progress: who is in and who is out, before the sums.
SHARE_OF_DIVIDING = 0.4


def holdout_weeks(
    holdout: Holdout,
    *,
    until: datetime,
    event: str = "Order Completed",
    cost_per_message: Decimal = Decimal(0),
    tell: Tell = nobody_listens,
) -> list[Week]:
    """Since the newest draw or change of share, up to the holdout's end.

    In or out is decided for everybody by the hash alone, as at the draw: who was written down as a member
    later depends on who was considered for a message, and that may depend on what they bought.
    Raises ValueError when nothing has passed since then.
    """
    version = holdout.versions.latest("number")
    until = min(until, holdout.ended_at or until)
    held: list[int] = []
    ids = list(Customer.objects.filter(created_at__lt=until).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        values = hash_values(ids[start : start + CHUNK])
        inside = hash_fractions(version.seed, list(values.values())) < version.share
        held += [pk for pk, is_in in zip(values, inside.tolist(), strict=True) if is_in]
        tell(SHARE_OF_DIVIDING * min(start + CHUNK, len(ids)) / len(ids))
    return load_weeks(
        held, since=version.started_at, until=until, event=event, cost_per_message=cost_per_message,
        tell=part_of(tell, SHARE_OF_DIVIDING, 1.0),
    )  # fmt: skip


def load_weeks(
    held_out: Sequence[int],
    *,
    since: datetime,
    until: datetime,
    event: str = "Order Completed",
    cost_per_message: Decimal = Decimal(0),
    tell: Tell = nobody_listens,
) -> list[Week]:
    """Weeks counted from `since`, the last one as far as `until`; `held_out` are customer ids.

    Customers count from the week they came to us. Raises ValueError when `until` is not after `since`.
    """
    if until <= since:
        raise ValueError("until must be after since")
    ids = list(held_out)
    last = (until - since - timedelta(microseconds=1)) // WEEK
    arms: dict[bool, list[WeekSums]] = {held: [WeekSums()] * (last + 1) for held in (False, True)}
    for share, query, parameters in (
        (0.1, _CAME, [since, ids, until]),
        (0.7, _SPENT, [ids, until, since, event, since, until]),
    ):
        for held, week, n, total, squares in _rows(query, parameters):
            arms[held][week] += WeekSums(n, total, squares)
        tell(share)
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
    FROM {_CUSTOMERS} c LEFT JOIN unnest(%s::bigint[]) h(id) ON h.id = c.id
    WHERE c.created_at < %s GROUP BY 1, 2
"""  # noqa: S608  (table names only)
# A customer's total moves from before to before + step in a week; its square by 2·before·step + step².
_SPENT = f"""
    WITH member(id) AS (SELECT unnest(%s::bigint[])), weekly AS (
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
