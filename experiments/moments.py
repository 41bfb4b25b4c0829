"""The database's part of a report: the sums of every variant and day, stored and carried on day by day.

Days that ended an hour ago are stored. Later events are added to them on the way out, and stored with their
day. Who had an event that came late for a stored day is computed anew, alone, from all of that customer's
events; the difference goes to the days it belongs to. `compute_sums` does the same from the events alone, and
a test holds the two to be equal.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min

from experiments import metrics
from experiments.metrics import NAMES, Group, Sums
from experiments.models import Assignment, CustomerSums, DaySums, Experiment, Metric, MetricState
from experiments.stats import Statistic
from experiments.steps import DAY, ByDay, Calendar, Question, View, count_values, matching, sum_steps
from personalization.events.models import Event

# Longer than any transaction that writes events: what was received before has been committed.
GRACE = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


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
    for variant_id, day, n, checksum in _rows(
        "SELECT variant_id, floor(date_part('epoch', assigned_at - %(start)s) / 86400)::int AS day, count(*),"  # noqa: S608
        f" sum(customer_id) FROM {Assignment._meta.db_table}"
        " WHERE experiment_id = %(experiment)s AND assigned_at <= %(as_of)s GROUP BY 1, 2",
        {"experiment": experiment.pk, "start": calendar.start, "as_of": as_of},
    ):
        by_day[variant_id][day] += n
        checksums[day] += checksum
    return Assigned(experiment, calendar, by_day, checksums)


def compute_sums(experiment: Experiment, metric: Metric, assigned: Assigned) -> MetricSums:
    """From the events alone, at any moment `as_of`; nothing stored is read or written."""
    question = Question(experiment, metric, assigned.calendar)
    view = View(assigned.calendar.as_of + INSTANT)
    values = count_values(question, view) if metric.quantile is not None else {}
    return MetricSums(metric, assigned, sum_steps(question, view=view), values)


def load_sums(experiment: Experiment, metric: Metric, assigned: Assigned) -> MetricSums:
    """As `compute_sums` at this moment, reading only what is not stored yet. `as_of` must be now.

    Quantiles do not add up over days: they are read from the events each time.
    """
    if metric.quantile is not None:
        return compute_sums(experiment, metric, assigned)
    question = Question(experiment, metric, assigned.calendar)
    with transaction.atomic():
        # To compile these queries takes longer than to run most of them.
        _rows("SET LOCAL jit = off", {})
        # Millions of customers are grouped in memory, not on disk.
        _rows("SET LOCAL work_mem = '128MB'", {})
        state = _carry_on(question, assigned)
        now = View(assigned.calendar.as_of + INSTANT)
        if state is None:
            return MetricSums(metric, assigned, sum_steps(question, view=now))
        by_day = _stored(state)
        _add(by_day, _advance(question, assigned, state, to=now))
    return MetricSums(metric, assigned, by_day)


def _carry_on(question: Question, assigned: Assigned) -> MetricState | None:
    """The stored state, brought to the last day that ended an hour ago; None before the first has."""
    calendar = question.calendar
    settled = calendar.as_of - GRACE
    days = calendar.day_of(settled)
    if days < 1:
        return None
    target = View(calendar.start + days * DAY, settled)
    state = _lock_state(question, assigned)
    if state is not None and state.until >= target.until:
        return state
    n, checksum = assigned.fingerprint(until=target.until)
    marks = {
        "until": target.until, "received_until": settled, "assigned": n, "assigned_checksum": checksum,
    }  # fmt: skip
    if state is None:
        state = MetricState.objects.create(
            experiment=question.experiment, metric=question.metric, definition=question.definition(), **marks
        )
        _store(state, _advance(question, assigned, state, to=target, is_new=True, keep=True))
        # Millions of rows that the planner has not seen would be searched one by one for the next day.
        _rows(f"ANALYZE {CustomerSums._meta.db_table}", {})
    else:
        _store(state, _advance(question, assigned, state, to=target, keep=True))
        MetricState.objects.filter(pk=state.pk).update(**marks)
        state.refresh_from_db()
    return state


def _lock_state(question: Question, assigned: Assigned) -> MetricState | None:
    """None when there is none, or when what it was made from has changed; then it is removed."""
    # One at a time for each experiment and metric, also before there is a row to lock.
    _rows("SELECT pg_advisory_xact_lock(%(one)s, %(two)s)",
          {"one": question.experiment.pk % 2**31, "two": question.metric.pk % 2**31})  # fmt: skip
    state = MetricState.objects.filter(experiment=question.experiment, metric=question.metric).first()
    if state is None:
        return None
    late = _late_names(assigned, View(state.until, state.received_until))
    # Events that changed hands were counted for somebody whose events do not tell any more.
    moved = any(late.get(name) for name in (question.metric.event, question.metric.denominator_event))
    same = state.definition == question.definition() and assigned.fingerprint(until=state.until) == (
        state.assigned,
        state.assigned_checksum,
    )
    if same and not moved:
        return state
    _forget(state)
    DaySums.objects.filter(state=state).delete()
    state.delete()
    return None


def _advance(
    question: Question,
    assigned: Assigned,
    state: MetricState,
    *,
    to: View,
    is_new: bool = False,
    keep: bool = False,
) -> ByDay:
    """What to add to the stored days to see what `to` sees; with `keep` the customers move on as well."""
    known = None if is_new else View(state.until, state.received_until)
    keep_in = state.pk if keep else None
    touched = _touched(question, assigned, known, to)
    found = sum_steps(
        question,
        view=View(to.until),
        since=None if known is None else known.until,
        without=touched,
        start_from=None if known is None else state.pk,
        keep_in=keep_in,
    )
    if not touched:
        return found
    if keep:
        _forget(state, touched)
    _add(found, sum_steps(question, view=to, only=touched, keep_in=keep_in))
    if known is not None:
        _add(found, sum_steps(question, view=known, only=touched), sign=-1)
    return found


def _touched(question: Question, assigned: Assigned, known: View | None, to: View) -> list[int]:
    """Customers whose events do not simply go on from the stored state: they are read from the beginning.

    Those with an event that came after its day had been stored, those with one that must not be stored yet,
    and, where one looks back, those assigned since.
    """
    found: set[int] = set()
    wanted = {question.metric.event, question.metric.denominator_event}
    for view in (known, to):
        if view is None or view.received_until is None or not wanted & set(_late_names(assigned, view)):
            continue
        found |= {
            customer_id
            for (customer_id,) in _rows(
                f"SELECT DISTINCT e.customer_id FROM {Event._meta.db_table} e"  # noqa: S608
                f" JOIN {Assignment._meta.db_table} a ON a.customer_id = e.customer_id"
                f" WHERE a.experiment_id = %(experiment)s AND {matching(question)}"
                " AND e.received_at > %(received)s AND e.occurred_at < %(until)s",
                question.parameters() | {"received": view.received_until, "until": view.until},
            )
        }
    if question.looks_back and known is not None:
        since = Assignment.objects.filter(
            experiment=question.experiment, assigned_at__gte=known.until, assigned_at__lt=to.until
        )
        found.update(since.values_list("customer_id", flat=True))
    return sorted(found)


def _late_names(assigned: Assigned, view: View) -> dict[str, bool]:
    """Names of the events that belong into the view but came later; whether one of them changed hands.

    Asked once for all metrics: it reads what was received since, from an index of a few pages.
    """
    if view not in assigned.late:
        assigned.late[view] = dict(
            _rows(
                f"SELECT name, bool_or(context ? 'joined_from') FROM {Event._meta.db_table}"  # noqa: S608
                " WHERE received_at > %(received)s AND occurred_at < %(until)s GROUP BY name",
                {"received": view.received_until, "until": view.until},
            )
        )
    return assigned.late[view]


def _forget(state: MetricState, customers: list[int] | None = None) -> None:
    some = "" if customers is None else " AND customer_id = ANY(%(customers)s)"
    _rows(
        f"DELETE FROM {CustomerSums._meta.db_table} WHERE state_id = %(state)s{some}",  # noqa: S608
        {"state": state.pk, "customers": customers},
    )


def _stored(state: MetricState) -> ByDay:
    found: ByDay = {}
    for row in state.days.all():
        found.setdefault(row.variant_id, {})[row.day] = Sums(*(getattr(row, name) for name in NAMES))
    return found


def _store(state: MetricState, changes: ByDay) -> None:
    days = _stored(state)
    _add(days, changes)
    DaySums.objects.bulk_create(
        (
            DaySums(state=state, variant_id=variant_id, day=day, **vars(days[variant_id][day]))
            for variant_id, changed in changes.items()
            for day in changed
        ),
        update_conflicts=True,
        unique_fields=["state", "variant", "day"],
        update_fields=list(NAMES),
    )


def _add(days: ByDay, changes: ByDay, *, sign: int = 1) -> None:
    for variant_id, changed in changes.items():
        known = days.setdefault(variant_id, {})
        for day, sums in changed.items():
            before = known.get(day, Sums())
            known[day] = before + sums if sign > 0 else before - sums


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []
