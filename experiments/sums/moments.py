"""The database's part of a report: the sums of every variant and day, stored and carried on day by day.

Days that ended an hour ago are stored. Later events are added to them on the way out, and stored with their
day. Who had an event that came late for a stored day is computed anew, alone, from all of that customer's
events; the difference goes to the days it belongs to. `compute_sums` does the same from the events alone, and
a test holds the two to be equal.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction

from experiments.metrics import NAMES, Sums
from experiments.models import Assignment, DaySums, Experiment, Metric, MetricState
from experiments.sums.metric_sums import Assigned, MetricSums, rows_of
from experiments.sums.questions import DAY, ByDay, Question, View, matching
from experiments.sums.steps import count_values, sum_steps
from personalization.events.models import Event

# Longer than any transaction that writes events: what was received before has been committed.
GRACE = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
Tick = Callable[[int], object]


def silent(done: int) -> None:
    """Where nobody watches the progress."""


def compute_sums(
    experiment: Experiment, metrics: Sequence[Metric], assigned: Assigned, *, tick: Tick = silent
) -> list[MetricSums]:
    """From the events alone, at any moment `as_of`; nothing stored is read or written. `tick` is told how
    many metrics are done.
    """
    view = View(assigned.calendar.as_of + INSTANT)
    questions = [Question(experiment, metric, assigned.calendar) for metric in metrics]
    found: dict[Question, MetricSums] = {}
    with transaction.atomic():
        prepare()
        for group in _groups(questions, lambda question: question.source):
            for question, by_day in zip(group, sum_steps(group, view=view), strict=True):
                values = count_values(question, view) if question.metric.quantile is not None else {}
                found[question] = MetricSums(question.metric, assigned, by_day, values)
            tick(len(found))
    return [found[question] for question in questions]


def load_sums(
    experiment: Experiment, metrics: Sequence[Metric], assigned: Assigned, *, tick: Tick = silent
) -> list[MetricSums]:
    """As `compute_sums` at this moment, reading only what is not stored yet. `as_of` must be now.

    Quantiles do not add up over days: they are read from the events each time.
    """
    questions = [Question(experiment, metric, assigned.calendar) for metric in metrics]
    adding = [question for question in questions if question.metric.quantile is None]
    found: dict[Question, MetricSums] = {}
    for group in _groups(adding, lambda question: question.source):
        with transaction.atomic():
            prepare()
            for question, by_day in _load(group, assigned).items():
                found[question] = MetricSums(question.metric, assigned, by_day)
        tick(len(found))
    rest = [question for question in questions if question.metric.quantile is not None]
    computed = compute_sums(experiment, [question.metric for question in rest], assigned)
    found |= zip(rest, computed, strict=True)
    return [found[question] for question in questions]


def prepare() -> None:
    """Inside a transaction, before long reads."""
    # To compile these queries takes longer than to run most of them.
    rows_of("SET LOCAL jit = off", {})
    # Millions of events are sorted in memory, not on disk, as far as they fit.
    rows_of("SET LOCAL work_mem = '256MB'", {})


def _groups(questions: Iterable[Question], key: Callable[[Question], Any]) -> list[list[Question]]:
    found: dict[Any, list[Question]] = defaultdict(list)
    for question in questions:
        found[key(question)].append(question)
    return list(found.values())


def _load(questions: list[Question], assigned: Assigned) -> dict[Question, ByDay]:
    """Of questions with one source: the stored days, and what has come since."""
    now = View(assigned.calendar.as_of + INSTANT)
    states = _carry_on(questions, assigned)
    if not states:
        return dict(zip(questions, sum_steps(questions, view=now), strict=True))
    found: dict[Question, ByDay] = {}
    for group in _groups(questions, lambda question: _view(states[question])):
        added = _advance(group, assigned, _view(states[group[0]]), to=now)
        for question, by_day in zip(group, added, strict=True):
            found[question] = _stored(states[question])
            _add(found[question], by_day)
    return found


def _carry_on(questions: list[Question], assigned: Assigned) -> dict[Question, MetricState]:
    """The stored states, brought to the last day that ended an hour ago; none before the first has."""
    calendar = assigned.calendar
    settled = calendar.as_of - GRACE
    days = calendar.day_of(settled)
    if days < 1:
        return {}
    target = View(calendar.start + days * DAY, settled)
    # Always in the same order: two who ask at once wait for each other's end, never for each other.
    locked = {q: _lock_state(q, assigned) for q in sorted(questions, key=lambda q: q.metric.pk)}
    states = {question: state for question, state in locked.items() if state is not None}
    n, checksum = assigned.fingerprint(until=target.until)
    marks = {
        "until": target.until, "received_until": settled, "assigned": n, "assigned_checksum": checksum,
    }  # fmt: skip
    behind = [q for q in locked if q not in states or states[q].until < target.until]
    for group in _groups(behind, lambda q: _view(states[q]) if q in states else None):
        known = _view(states[group[0]]) if group[0] in states else None
        changes = _advance(group, assigned, known, to=target)
        for question, by_day in zip(group, changes, strict=True):
            states[question], _made = MetricState.objects.update_or_create(
                experiment=question.experiment,
                metric=question.metric,
                defaults=marks | {"definition": question.definition()},
            )
            _store(states[question], by_day)
    return states


def _lock_state(question: Question, assigned: Assigned) -> MetricState | None:
    """None when there is none, or when what it was made from has changed; then it is removed."""
    # One at a time for each experiment and metric, also before there is a row to lock.
    rows_of("SELECT pg_advisory_xact_lock(%(one)s, %(two)s)",
          {"one": question.experiment.pk % 2**31, "two": question.metric.pk % 2**31})  # fmt: skip
    state = MetricState.objects.filter(experiment=question.experiment, metric=question.metric).first()
    if state is None:
        return None
    late = _late_names(assigned, _view(state))
    # Events that changed hands were counted for somebody whose events do not tell any more.
    moved = any(late.get(name) for name in (question.metric.event, question.metric.denominator_event))
    same = state.definition == question.definition() and assigned.fingerprint(until=state.until) == (
        state.assigned,
        state.assigned_checksum,
    )
    if same and not moved:
        return state
    DaySums.objects.filter(state=state).delete()
    state.delete()
    return None


def _advance(questions: list[Question], assigned: Assigned, known: View | None, *, to: View) -> list[ByDay]:
    """What to add to the days that `known` has seen (None: nothing yet) to see what `to` sees."""
    touched = _touched(questions[0], assigned, known, to)
    since = None if known is None else known.until
    found = sum_steps(questions, view=View(to.until), since=since, without=touched)
    if touched:
        _add_all(found, sum_steps(questions, view=to, only=touched))
        if known is not None:
            _add_all(found, sum_steps(questions, view=known, only=touched), sign=-1)
    return found


def _touched(question: Question, assigned: Assigned, known: View | None, to: View) -> list[int]:
    """Customers whose events do not simply go on from what is stored: they are read from the beginning.

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
            for (customer_id,) in rows_of(
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
            rows_of(
                f"SELECT name, bool_or(context ? 'joined_from') FROM {Event._meta.db_table}"  # noqa: S608
                " WHERE received_at > %(received)s AND occurred_at < %(until)s GROUP BY name",
                {"received": view.received_until, "until": view.until},
            )
        )
    return assigned.late[view]


def _view(state: MetricState) -> View:
    return View(state.until, state.received_until)


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


def _add_all(found: list[ByDay], changes: list[ByDay], *, sign: int = 1) -> None:
    for days, changed in zip(found, changes, strict=True):
        _add(days, changed, sign=sign)
