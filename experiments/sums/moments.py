"""The database's part of a report: the sums of every variant and day, stored and carried on day by day.

Days that ended an hour ago are stored, and with them where each customer stood (`totals`): the next day
reads its own events alone, on top of both. Who had an event that came late for a stored day is computed
anew, alone, from all of that customer's events; the difference goes to the days it belongs to, and the totals
take the place of the old. `compute_sums` does the same from the events alone, and a test holds the two to be
equal.
Metrics that read the same events stand and fall together: where one must be computed anew, all are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from experiments.models import DaySums, Experiment, Metric, MetricState
from experiments.sums.day_rows import add_all, days_of, store_changes, view_of
from experiments.sums.late_events import late_names, touched_customers
from experiments.sums.metric_sums import Assigned, MetricSums, rows_of
from experiments.sums.questions import DAY, ByDay, Question, View
from experiments.sums.steps import count_values, sum_steps
from experiments.sums.totals import Totals, begin_totals, find_totals, forget_totals, key_of

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
            for question, by_day in zip(group, _load(group, assigned), strict=True):
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
    # Whoever opens a cursor here reads it to the end.
    rows_of("SET LOCAL cursor_tuple_fraction = 1", {})


def _groups(questions: Iterable[Question], key: Callable[[Question], Any]) -> list[list[Question]]:
    found: dict[Any, list[Question]] = defaultdict(list)
    for question in questions:
        found[key(question)].append(question)
    return list(found.values())


@dataclass(frozen=True)
class Stored:
    """What is known of the questions of one source, all as far as the same view. `totals` are None once no
    window is open."""

    states: list[MetricState]
    view: View
    totals: Totals | None


def _load(questions: list[Question], assigned: Assigned) -> list[ByDay]:
    """Of questions with one source: the stored days, and what has come since."""
    now = View(assigned.calendar.as_of + INSTANT)
    stored = _carry_on(questions, assigned)
    if stored is None:
        return sum_steps(questions, view=now)
    found = [days_of(state) for state in stored.states]
    add_all(found, _advance(questions, assigned, stored, to=now))
    return found


def _carry_on(questions: list[Question], assigned: Assigned) -> Stored | None:
    """What is stored, brought to the last day that ended an hour ago; None before the first has."""
    calendar, one = assigned.calendar, questions[0]
    settled = calendar.as_of - GRACE
    days = calendar.day_of(settled)
    if days < 1:
        return None
    to = View(calendar.start + days * DAY, settled)
    # One at a time, also before there is a row to lock. Sources come in the order of the metrics: two who ask
    # at once wait for each other's end, never for each other.
    rows_of("SELECT pg_advisory_xact_lock(%(one)s, %(two)s)",
            {"one": one.experiment.pk % 2**31, "two": int(key_of(one)[:7], 16)})  # fmt: skip
    stored = _find(questions, assigned)
    if stored is not None and stored.view.until >= to.until:
        return stored
    totals = stored.totals if stored else begin_totals(questions, to)
    changes = _advance(questions, assigned, stored, to=to, keep=totals)
    if _is_closed(questions, to):
        forget_totals(questions)
        totals = None
    elif totals is not None:
        totals.move(to)
    n, checksum = assigned.fingerprint(until=to.until)
    marks = {
        "until": to.until, "received_until": settled, "assigned": n, "assigned_checksum": checksum,
    }  # fmt: skip
    states = []
    for question, by_day in zip(questions, changes, strict=True):
        state, _made = MetricState.objects.update_or_create(
            experiment=question.experiment,
            metric=question.metric,
            defaults=marks | {"definition": question.definition()},
        )
        store_changes(state, by_day)
        states.append(state)
    return Stored(states, to, totals)


def _find(questions: list[Question], assigned: Assigned) -> Stored | None:
    """None when there is nothing, or when what it was made from has changed: then it is removed."""
    found = MetricState.objects.filter(
        experiment=questions[0].experiment, metric__in=[question.metric for question in questions]
    )
    by_metric = {state.metric_id: state for state in found}
    states = [by_metric[q.metric.pk] for q in questions if q.metric.pk in by_metric]
    totals = find_totals(questions)
    if len(states) == len(questions) and _still_holds(questions, states, totals, assigned):
        return Stored(states, view_of(states[0]), totals)
    DaySums.objects.filter(state__in=states).delete()
    found.delete()
    forget_totals(questions)
    return None


def _still_holds(
    questions: list[Question], states: list[MetricState], totals: Totals | None, assigned: Assigned
) -> bool:
    view, metric = view_of(states[0]), questions[0].metric
    if any(view_of(state) != view for state in states) or totals is None != _is_closed(questions, view):
        return False
    late = late_names(assigned, view)
    # Events that changed hands were counted for somebody whose events do not tell any more.
    if any(late.get(name) for name in (metric.event, metric.denominator_event)):
        return False
    fingerprint = assigned.fingerprint(until=view.until)
    return (totals is None or totals.view == view) and all(
        state.definition == question.definition() and fingerprint == (state.assigned, state.assigned_checksum)
        for question, state in zip(questions, states, strict=True)
    )


def _is_closed(questions: list[Question], view: View) -> bool:
    return view.until >= max(question.closes for question in questions)


def _advance(
    questions: list[Question],
    assigned: Assigned,
    stored: Stored | None,
    *,
    to: View,
    keep: Totals | None = None,
) -> list[ByDay]:
    """What to add to the days that are stored (None: nothing yet) to see what `to` sees; where everybody
    then stands goes to `keep`."""
    known = stored.view if stored else None
    touched = touched_customers(questions[0], assigned, known, to)
    if stored is not None and stored.totals is None:  # every window had closed
        found: list[ByDay] = [{} for _ in questions]
    else:
        past = stored.totals if stored else None
        found = sum_steps(questions, view=View(to.until), past=past, keep=keep, without=touched)
    if touched:
        add_all(found, sum_steps(questions, view=to, keep=keep, only=touched))
        if known is not None:
            add_all(found, sum_steps(questions, view=known, only=touched), sign=-1)
    return found
