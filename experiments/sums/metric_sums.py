"""Who was assigned when, and the sums of a metric: what the numbers of a report are made of."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Max, Min

from experiments import metrics
from experiments.metrics import Group, Sums
from experiments.models import Assignment, Experiment, Metric
from experiments.stats import Statistic
from experiments.sums.questions import ByDay, Calendar, View


@dataclass(frozen=True)
class Assigned:
    """How many customers each variant (by id) took in on each day; `checksums` are sums of their ids."""

    experiment: Experiment
    calendar: Calendar
    by_day: dict[int, dict[int, int]]
    checksums: dict[int, Decimal]
    late: dict[View, dict[str, bool]] = field(default_factory=dict, compare=False)

    def customers(self, variant_id: int, *, until_day: int | None = None) -> int:
        days = self.by_day.get(variant_id, {})
        return sum(n for day, n in days.items() if until_day is None or day <= until_day)

    def fingerprint(self, *, until: datetime) -> tuple[int, Decimal]:
        """Number and sum of ids of those assigned before the end of a day."""
        last = self.calendar.day_of(until) - 1
        n = sum(self.customers(variant_id, until_day=last) for variant_id in self.by_day)
        return n, sum((value for day, value in self.checksums.items() if day <= last), Decimal(0))


@dataclass(frozen=True)
class MetricSums:
    """Sums of each variant (by id), by the day on which they arose; days without events are left out."""

    metric: Metric
    assigned: Assigned
    by_day: ByDay
    values: dict[int, dict[Decimal, int]] = field(default_factory=dict)

    def sums(self, variant_id: int, *, until_day: int | None = None) -> Sums:
        days = self.by_day.get(variant_id, {})
        return sum((s for day, s in days.items() if until_day is None or day <= until_day), Sums())

    def statistic(self, variant_id: int, *, until_day: int | None = None) -> Statistic:
        """With what was known before assignment, where the metric looks back."""
        group = self._group(
            variant_id,
            self.assigned.customers(variant_id, until_day=until_day),
            self.sums(variant_id, until_day=until_day),
        )
        return self._statistic(group)

    def statistic_of(self, n: int, sums: Sums) -> Statistic:
        """Of any group of n customers with these sums; not for quantiles."""
        return self._statistic(Group(n, sums, self.metric.cap))

    def of_day(self, variant_id: int, day: int) -> Statistic:
        """Of all customers assigned until that day, what the day alone brought: its first buyers, its spend.

        The square of a sum that grew over days does not belong to one day; `by_day` holds the growth of the
        squares, an upper bound of the day's own.
        """
        n = self.assigned.customers(variant_id, until_day=day)
        sums = self.by_day.get(variant_id, {}).get(day, Sums())
        return metrics.get(self.metric.kind).statistic(self._group(variant_id, n, sums))

    def _group(self, variant_id: int, n: int, sums: Sums) -> Group:
        counts = dict(self.values.get(variant_id, {}))
        if self.metric.quantile is not None and n > sum(counts.values()):
            counts[Decimal(0)] = counts.get(Decimal(0), 0) + n - sum(counts.values())
        return Group(n, sums, self.metric.cap, self.metric.quantile, tuple(sorted(counts.items())))

    def _statistic(self, group: Group) -> Statistic:
        kind = metrics.get(self.metric.kind)
        adjusted = kind.adjusted(group) if self.metric.covariate_days else None
        return adjusted or kind.statistic(group)


def load_assigned(experiment: Experiment, *, as_of: datetime) -> Assigned | None:
    """None when nobody was assigned by then."""
    known = Assignment.objects.filter(experiment=experiment, assigned_at__lte=as_of)
    span = known.aggregate(first=Min("assigned_at"), last=Max("assigned_at"))
    if span["first"] is None:
        return None
    calendar = Calendar(span["first"], span["last"], as_of)
    by_day: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    checksums: dict[int, Decimal] = defaultdict(Decimal)
    for variant_id, day, n, checksum in rows_of(
        "SELECT variant_id, floor(date_part('epoch', assigned_at - %(start)s) / 86400)::int AS day, count(*),"  # noqa: S608
        f" sum(customer_id) FROM {Assignment._meta.db_table}"
        " WHERE experiment_id = %(experiment)s AND assigned_at <= %(as_of)s GROUP BY 1, 2",
        {"experiment": experiment.pk, "start": calendar.start, "as_of": as_of},
    ):
        by_day[variant_id][day] += n
        checksums[day] += checksum
    return Assigned(experiment, calendar, by_day, checksums)


def rows_of(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []
