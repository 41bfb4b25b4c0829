"""The SQL that turns events into sums: what each day adds to the sums of each variant, for one metric.

A customer's running number moves from `before` to `after` on a day; each sum moves by the difference of its
terms (the squares by after² − before²), so that days add up, and so that a later day can start from where the
last one ended. Only sums leave the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from experiments import metrics
from experiments.metrics import NAMES, Sums
from experiments.models import Assignment, CustomerSums, Experiment, Metric, MetricScope
from personalization.customers.models import Customer
from personalization.events.models import Event

DAY = timedelta(days=1)
ByDay = dict[int, dict[Any, Sums]]

# Flags of events that no human made: scanners and mail programs that open everything.
BOT_FLAGS = ("bot", "is_bot", "machine")


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
class View:
    """Which events are looked at: occurred before `until`; received by `received_until` (None: whenever)."""

    until: datetime
    received_until: datetime | None = None


@dataclass(frozen=True)
class Question:
    """A metric asked of an experiment."""

    experiment: Experiment
    metric: Metric
    calendar: Calendar

    @property
    def is_ratio(self) -> bool:
        return bool(self.metric.denominator_event)

    @property
    def looks_back(self) -> bool:
        return self.metric.covariate_days > 0

    @property
    def first(self) -> datetime:
        """Nothing earlier can count."""
        metric = self.metric
        days = -metric.covariate_days if self.looks_back else metric.from_day
        return self.calendar.start + days * DAY

    @property
    def closes(self) -> datetime:
        return self.calendar.last_assigned + self.metric.window_days * DAY

    def definition(self) -> dict[str, Any]:
        """What the stored sums depend on; other values, and they are computed anew."""
        metric = self.metric
        return {
            "kind": metric.kind,
            "event": metric.event,
            "denominator_event": metric.denominator_event,
            "property": [metric.property_name, metric.property_value],
            "scope": str(metric.scope),
            "days": [metric.from_day, metric.window_days, metric.covariate_days],
            "cap": None if metric.cap is None else str(Decimal(metric.cap).normalize()),
            "start": self.calendar.start.isoformat(),
        }

    def parameters(self) -> dict[str, Any]:
        metric = self.metric
        return {
            "experiment": self.experiment.pk,
            "key": self.experiment.key,
            "event": metric.event,
            "divisor": metric.denominator_event,
            "property": metric.property_name,
            "property_value": metric.property_value,
            "from": metric.from_day * DAY,
            "to": metric.window_days * DAY,
            "lookback": metric.covariate_days * DAY,
            "cap": metric.cap,
            "start": self.calendar.start,
        }


def matching(question: Question) -> str:
    """The condition on an event `e`, without its time."""
    metric = question.metric
    parts = ["e.name IN (%(event)s, %(divisor)s)" if question.is_ratio else "e.name = %(event)s"]
    if metric.scope == MetricScope.EXPERIMENT:
        parts.append("e.properties ->> 'experiment' = %(key)s")
    if metric.property_name:
        parts.append("e.properties ->> %(property)s = %(property_value)s")
    if any(name.startswith("Message ") for name in (metric.event, metric.denominator_event)):
        parts += [f"NOT coalesce(e.properties -> '{flag}' = 'true', false)" for flag in BOT_FLAGS]
    return " AND ".join(parts)


def sum_steps(
    question: Question,
    *,
    view: View,
    since: datetime | None = None,
    only: Sequence[int] | None = None,
    without: Sequence[int] = (),
    start_from: int | None = None,
    keep_in: int | None = None,
    trait: str | None = None,
) -> ByDay:
    """Sums by variant id and day, of events since `since` as far as the view reaches.

    `only` and `without` name customers. `start_from` is the stored state at `since`, `keep_in` the one whose
    customers move on with these events. With `trait`, its values take the place of the days.
    """
    names = _names(question)
    parameters = question.parameters() | {
        "since": question.first if since is None else max(since, question.first),
        "until": view.until,
        "latest": min(view.until, question.closes),
        "received": view.received_until,
        "only": list(only or ()),
        "without": list(without),
        "state": start_from if keep_in is None else keep_in,
        "trait": trait,
    }
    if (only is not None and not only) or parameters["since"] >= parameters["latest"]:
        return {}
    query = (
        "WITH daily AS MATERIALIZED ("
        + _daily(question, view, only=only is not None, but=bool(without))
        + ")"
    )
    if keep_in is not None:
        query += f", kept AS ({_keep(names, moves_on=start_from is not None)})"
    group, source = "day", "changes"
    if trait is not None:
        group, source = "coalesce(c.traits ->> %(trait)s, '')", _WITH_TRAITS
    query += f"""
        , running AS ({_running(names, stored=start_from is not None)})
        , changes AS ({_changes(question, names)})
        SELECT variant_id, {group}, {_differences(question)} FROM {source} GROUP BY 1, 2
    """  # noqa: S608
    found: ByDay = {}
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        for variant_id, day, *sums in cursor.fetchall():
            found.setdefault(variant_id, {})[day] = Sums(*map(Decimal, sums))
    return found


_WITH_TRAITS = f"changes JOIN {Customer._meta.db_table} c ON c.id = changes.customer_id"


def _names(question: Question) -> list[str]:
    """What the metric needs of a customer: `number`, the divisor `weight`, the number `before` assignment."""
    return [
        "number",
        *(["weight"] if question.is_ratio else []),
        *(["before"] if question.looks_back else []),
    ]


def _daily(question: Question, view: View, *, only: bool, but: bool) -> str:
    """One row per customer and day. What came before assignment counts on the day of assignment."""
    after = "e.occurred_at >= a.assigned_at + %(from)s AND e.occurred_at < a.assigned_at + %(to)s"
    earlier = "e.occurred_at < a.assigned_at AND e.occurred_at >= a.assigned_at - %(lookback)s"
    day, where, conditions = _day_of("e.occurred_at"), after, []
    if question.looks_back:
        day = f"CASE WHEN e.occurred_at < a.assigned_at THEN {_day_of('a.assigned_at')} ELSE {day} END"
        where, conditions = f"(({after}) OR ({earlier}))", [after]
    if question.is_ratio:
        conditions.append("e.name = %(event)s")
    columns = [_aggregate(question, conditions) + " AS number"]
    if question.is_ratio:
        columns.append("count(*) FILTER (WHERE e.name = %(divisor)s) AS weight")
    if question.looks_back:
        columns.append(_aggregate(question, [earlier]) + " AS before")
    return f"""
        SELECT a.variant_id, e.customer_id, {day} AS day, {", ".join(columns)}
        FROM {Event._meta.db_table} e
        JOIN {Assignment._meta.db_table} a ON a.customer_id = e.customer_id
        WHERE a.experiment_id = %(experiment)s AND a.assigned_at < %(until)s
          AND {matching(question)} AND e.occurred_at >= %(since)s AND e.occurred_at < %(latest)s
          AND {where}
          {"AND e.received_at <= %(received)s" if view.received_until else ""}
          {"AND e.customer_id = ANY(%(only)s)" if only else ""}
          {"AND e.customer_id <> ALL(%(without)s)" if but else ""}
        GROUP BY 1, 2, 3
    """  # noqa: S608  (table names and our own fragments only)


def _day_of(moment: str) -> str:
    return f"floor(date_part('epoch', {moment} - %(start)s) / 86400)::int"


def _aggregate(question: Question, conditions: list[str]) -> str:
    condition = f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else ""
    if metrics.get(question.metric.kind).reduction == "sum":
        return f"coalesce(sum(e.value){condition}, 0)"
    return f"count(*){condition}"


def _running(names: list[str], *, stored: bool) -> str:
    """Each number before that day: of the stored state, and of the days read now."""
    past = {name: f"coalesce(sum(d.{name}) OVER earlier_days, 0)" for name in names}
    if stored:
        past = {name: f"coalesce(s.{name}, 0) + {text}" for name, text in past.items()}
    join = (
        f"LEFT JOIN {CustomerSums._meta.db_table} s"
        " ON s.state_id = %(state)s AND s.customer_id = d.customer_id"
    )
    columns = ", ".join(f"d.{name} AS {name}, {text} AS {name}_past" for name, text in past.items())
    return f"""
        SELECT d.variant_id, d.customer_id, d.day, {columns} FROM daily d {join if stored else ""}
        WINDOW earlier_days AS (
            PARTITION BY d.customer_id ORDER BY d.day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
    """  # noqa: S608


def _changes(question: Question, names: list[str]) -> str:
    """From y0 to y1, w0 to w1, x0 to x1 on that day; y and x as the metric counts them (once, capped)."""
    letters = {"number": "y", "weight": "w", "before": "x"}
    columns = [
        f"{_as_counted(question, name, f'{name}_past')} AS {letters[name]}0,"
        f" {_as_counted(question, name, f'{name}_past + {name}')} AS {letters[name]}1"
        for name in names
    ]
    return f"SELECT variant_id, customer_id, day, {', '.join(columns)} FROM running"  # noqa: S608


def _as_counted(question: Question, name: str, value: str) -> str:
    if name == "weight":
        return value
    if metrics.get(question.metric.kind).reduction == "any":
        return f"least({value}, 1)"
    return value if question.metric.cap is None else f"least({value}, %(cap)s)"


def _differences(question: Question) -> str:
    """The columns of `Sums`, in its order."""
    present = {
        "total": ("y", ""), "squares": ("y", "y"), "weight": ("w", ""), "weight_squares": ("w", "w"),
        "products": ("y", "w"), "before": ("x", ""), "before_squares": ("x", "x"),
        "before_products": ("x", "y"),
    }  # fmt: skip
    known = {"y"} | ({"w"} if question.is_ratio else set()) | ({"x"} if question.looks_back else set())
    return ", ".join(
        _difference(*present[name]) if known.issuperset("".join(present[name])) else "0" for name in NAMES
    )


def _difference(one: str, other: str) -> str:
    end, begin = (f"{one}{at} * {other}{at}" if other else f"{one}{at}" for at in "10")
    return f"sum({end} - {begin})"


def _keep(names: list[str], *, moves_on: bool) -> str:
    table, columns = CustomerSums._meta.db_table, ("number", "weight", "before")
    values = ", ".join(f"sum({name})" if name in names else "0" for name in columns)
    moved = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in names)
    conflict = f"ON CONFLICT (state_id, customer_id) DO UPDATE SET {moved}" if moves_on else ""
    return f"""
        INSERT INTO {table} (state_id, customer_id, {", ".join(columns)})
        SELECT %(state)s, customer_id, {values} FROM daily GROUP BY customer_id ORDER BY customer_id
        {conflict}
    """  # noqa: S608
