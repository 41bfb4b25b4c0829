"""The database's part of a report: one grouped query per metric gives the sums of every variant and day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from experiments import metrics
from experiments.metrics import Reduction
from experiments.models import Assignment, Experiment, Metric, MetricScope
from experiments.stats import Statistic
from personalization.events.models import Event

DAY = timedelta(days=1)

# What one day of one customer adds, and the customer's number up to and including that day.
REDUCE: dict[Reduction, str] = {
    "any": "1",
    "count": "count(*)",
    "sum": "coalesce(sum(event.value), 0)",
}


@dataclass(frozen=True)
class Calendar:
    """Days are counted from the first assignment on, each 24 hours long."""

    start: datetime
    last_assigned: datetime
    as_of: datetime

    def day_of(self, at: datetime) -> int:
        return (at - self.start) // DAY

    def end_of(self, day: int) -> datetime:
        return self.start + (day + 1) * DAY


@dataclass(frozen=True)
class Assigned:
    """How many customers each variant (by id) took in on each day."""

    calendar: Calendar
    by_day: dict[int, dict[int, int]]

    def customers(self, variant_id: int, *, until_day: int | None = None) -> int:
        days = self.by_day.get(variant_id, {})
        return sum(n for day, n in days.items() if until_day is None or day <= until_day)


@dataclass(frozen=True)
class Sums:
    total: Decimal = Decimal(0)
    total_squares: Decimal = Decimal(0)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.total + other.total, self.total_squares + other.total_squares)


@dataclass(frozen=True)
class MetricSums:
    """Sums of each variant (by id), by the day on which they arose; days without events are left out."""

    metric: Metric
    assigned: Assigned
    by_day: dict[int, dict[int, Sums]]

    def statistic(self, variant_id: int, *, until_day: int | None = None) -> Statistic:
        days = self.by_day.get(variant_id, {})
        sums = sum((s for day, s in days.items() if until_day is None or day <= until_day), Sums())
        return metrics.get(self.metric.kind).statistic(
            n=self.assigned.customers(variant_id, until_day=until_day),
            total=sums.total,
            total_squares=sums.total_squares,
        )


def load_assigned(experiment: Experiment, *, as_of: datetime) -> Assigned | None:
    """None when nobody was assigned by then."""
    known = Assignment.objects.filter(experiment=experiment, assigned_at__lte=as_of)
    span = known.aggregate(first=Min("assigned_at"), last=Max("assigned_at"))
    if span["first"] is None:
        return None
    calendar = Calendar(span["first"], span["last"], as_of)
    by_day: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for variant_id, day, n in _rows(
        f"SELECT variant_id, floor(extract(epoch FROM assigned_at - %(start)s) / 86400)::int AS day, count(*)"  # noqa: S608
        f" FROM {Assignment._meta.db_table}"
        " WHERE experiment_id = %(experiment)s AND assigned_at <= %(as_of)s GROUP BY 1, 2",
        {"experiment": experiment.pk, "start": calendar.start, "as_of": as_of},
    ):
        by_day[variant_id][day] += n
    return Assigned(calendar, by_day)


def load_sums(experiment: Experiment, metric: Metric, assigned: Assigned) -> MetricSums:
    """A customer's events count from assignment until the window closes, as far as `as_of` has come.

    The running number of a customer changes by `step` on a day; the square then changes by
    2·before·step + step², so that the days' sums add up to those of any later day.
    """
    reduction = metrics.get(metric.kind).reduction
    window = timedelta(days=metric.window_days)
    calendar = assigned.calendar
    by_day: dict[int, dict[int, Sums]] = defaultdict(dict)
    for variant_id, day, total, squares in _rows(
        _sums_query(reduction, own_events_only=metric.scope == MetricScope.EXPERIMENT),
        {
            "experiment": experiment.pk,
            "key": experiment.key,
            "event": metric.event,
            "window": window,
            "start": calendar.start,
            "as_of": calendar.as_of,
            # Constants, so that the index on (name, occurred_at) is read only where it matters.
            "latest": min(calendar.as_of, calendar.last_assigned + window),
        },
    ):
        by_day[variant_id][day] = Sums(Decimal(total), Decimal(squares))
    return MetricSums(metric, assigned, by_day)


def _sums_query(reduction: Reduction, *, own_events_only: bool) -> str:
    own = "AND event.properties ->> 'experiment' = %(key)s" if own_events_only else ""
    # "any" has happened once it happened: only the first day of a customer is a step.
    first_only = "WHERE before = 0" if reduction == "any" else ""
    return f"""
        WITH daily AS (
            SELECT a.variant_id, a.customer_id,
                   floor(extract(epoch FROM event.occurred_at - %(start)s) / 86400)::int AS day,
                   ({REDUCE[reduction]})::numeric AS step
            FROM {Assignment._meta.db_table} a
            JOIN {Event._meta.db_table} event ON event.customer_id = a.customer_id
            WHERE a.experiment_id = %(experiment)s AND a.assigned_at <= %(as_of)s
              AND event.name = %(event)s
              AND event.occurred_at BETWEEN %(start)s AND %(latest)s
              AND event.occurred_at >= a.assigned_at
              AND event.occurred_at < a.assigned_at + %(window)s
              {own}
            GROUP BY 1, 2, 3
        ), steps AS (
            SELECT variant_id, day, step,
                   coalesce(sum(step) OVER (
                       PARTITION BY variant_id, customer_id ORDER BY day
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                   ), 0) AS before
            FROM daily
        )
        SELECT variant_id, day, sum(step), sum(2 * before * step + step * step)
        FROM steps {first_only}
        GROUP BY 1, 2 ORDER BY 1, 2
    """  # noqa: S608  (table names and our own fragments only)


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()
