"""The SQL that turns events into sums: what each day adds to the sums of each variant.

With each event a customer's running number moves from y0 to y1; each sum moves by the difference of its terms
(the squares by y1² − y0²), so that days add up, and so that a later day can start from where the last one
ended. Metrics that ask the same events are answered in one pass. Only sums leave the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from experiments import metrics
from experiments.metrics import NAMES, Sums
from experiments.models import Assignment, Experiment, Metric, MetricScope
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


@dataclass(frozen=True, eq=False)
class Question:
    """A metric asked of an experiment. Each is its own: a plan's metrics have no row to be known by."""

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

    @property
    def source(self) -> tuple[Any, ...]:
        """Questions with the same source read the same events: they can be asked in one pass."""
        metric = self.metric
        return (
            metric.event, metric.denominator_event, metric.property_name, metric.property_value,
            str(metric.scope), metric.covariate_days,
        )  # fmt: skip

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
    questions: Sequence[Question],
    *,
    view: View,
    since: datetime | None = None,
    only: Sequence[int] | None = None,
    without: Sequence[int] = (),
    trait: str | None = None,
) -> list[ByDay]:
    """For each question the sums by variant id and day, of events since `since` as far as the view reaches.

    The questions must share their source. `only` and `without` name customers. With `trait`, its values take
    the place of the days.
    """
    asked = _Pass(questions, view, since)
    if (only is not None and not only) or asked.since >= asked.latest:
        return [{} for _ in questions]
    some = _some(view, only=only is not None, but=bool(without))
    query = f"WITH fresh AS ({asked.rows('since', 'latest', some)})"
    if since is not None:
        query += f", past AS ({asked.past(some)})"
    group, source = "day", "changes"
    if trait is not None:
        group, source = "coalesce(c.traits ->> %(trait)s, '')", _WITH_TRAITS
    query += f"""
        , running AS ({asked.running(stored=since is not None)})
        , changes AS ({asked.changes()})
        SELECT variant_id, {group}, {asked.differences()} FROM {source} GROUP BY 1, 2
    """  # noqa: S608
    parameters = asked.parameters() | {"only": list(only or ()), "without": list(without), "trait": trait}
    found: list[ByDay] = [{} for _ in questions]
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        for variant_id, day, *sums in cursor.fetchall():
            for place, by_day in enumerate(found):
                part = Sums(*map(Decimal, sums[place * len(NAMES) : (place + 1) * len(NAMES)]))
                if any(vars(part).values()):
                    by_day.setdefault(variant_id, {})[day] = part
    return found


_WITH_TRAITS = f"changes JOIN {Customer._meta.db_table} c ON c.id = changes.customer_id"


def _some(view: View, *, only: bool, but: bool) -> str:
    return " ".join(
        [
            "AND e.received_at <= %(received)s" if view.received_until else "",
            "AND e.customer_id = ANY(%(only)s)" if only else "",
            "AND e.customer_id <> ALL(%(without)s)" if but else "",
        ]
    )


class _Pass:
    """One reading of events for several questions: its columns, each as often as it differs."""

    def __init__(self, questions: Sequence[Question], view: View, since: datetime | None) -> None:
        self.questions, self.view, self.one = questions, view, questions[0]
        self.first = min(question.first for question in questions)
        self.since = self.first if since is None else max(since, self.first)
        self.latest = min(view.until, max(question.closes for question in questions))
        self._columns: dict[str, str] = {}
        self.letters = [self._of(place) for place in range(len(questions))]

    def parameters(self) -> dict[str, Any]:
        windows = {
            f"days_{days}": days * DAY
            for question in self.questions
            for days in (question.metric.from_day, question.metric.window_days)
        }
        caps = {f"cap_{place}": question.metric.cap for place, question in enumerate(self.questions)}
        return (
            self.one.parameters()
            | windows
            | caps
            | {
                "first": self.first, "since": self.since, "latest": self.latest,
                "until": self.view.until, "received": self.view.received_until,
            }
        )  # fmt: skip

    def rows(self, since: str, until: str, some: str) -> str:
        """One row per event: customer, day, and what it adds to each column. What came before assignment
        counts on the day of assignment."""
        day = _day_of("e.occurred_at")
        if self.one.looks_back:
            day = f"CASE WHEN e.occurred_at < a.assigned_at THEN {_day_of('a.assigned_at')} ELSE {day} END"
        columns = ", ".join(f"{text} AS {name}" for text, name in self._columns.items())
        return f"""
            SELECT a.variant_id, e.customer_id, {day} AS day, {columns}
            FROM {Event._meta.db_table} e
            JOIN {Assignment._meta.db_table} a ON a.customer_id = e.customer_id
            WHERE a.experiment_id = %(experiment)s AND a.assigned_at < %(until)s AND {matching(self.one)}
              AND e.occurred_at >= %({since})s AND e.occurred_at < %({until})s {some}
        """  # noqa: S608  (table names and our own fragments only)

    def past(self, some: str) -> str:
        """Where the customers with new events stood before them."""
        columns = ", ".join(f"sum({name}) AS {name}" for name in self._columns.values())
        new = f"""
            AND e.customer_id IN (
                SELECT e.customer_id FROM {Event._meta.db_table} e WHERE {matching(self.one)}
                  AND e.occurred_at >= %(since)s AND e.occurred_at < %(latest)s
            )
        """  # noqa: S608
        rows = self.rows("first", "since", some + new)
        return f"SELECT customer_id, {columns} FROM ({rows}) earlier GROUP BY 1"  # noqa: S608

    def running(self, *, stored: bool) -> str:
        """Each number after the event, and what the event added."""
        names = self._columns.values()
        started = {name: f"coalesce(p.{name}, 0) + " if stored else "" for name in names}
        columns = ", ".join(
            f"f.{name}, {started[name]}sum(f.{name}) OVER so_far AS {name}_now" for name in names
        )
        join = "LEFT JOIN past p ON p.customer_id = f.customer_id" if stored else ""
        return f"""
            SELECT f.variant_id, f.customer_id, f.day, {columns} FROM fresh f {join}
            WINDOW so_far AS (PARTITION BY f.customer_id ORDER BY f.day ROWS UNBOUNDED PRECEDING)
        """  # noqa: S608

    def changes(self) -> str:
        """From y0 to y1, w0 to w1, x0 to x1; y and x as the metric counts them (once, capped)."""
        columns = [
            f"{self.counted(place, letter, f'{name}_now - {name}')} AS {letter}{place}_0,"
            f" {self.counted(place, letter, f'{name}_now')} AS {letter}{place}_1"
            for place, letters in enumerate(self.letters)
            for letter, name in letters.items()
        ]
        return f"SELECT variant_id, customer_id, day, {', '.join(columns)} FROM running"  # noqa: S608

    def differences(self) -> str:
        """The columns of `Sums`, in its order, for one question after the other."""
        return ", ".join(
            self._difference(place, *TERMS[name]) if set("".join(TERMS[name])) <= set(letters) else "0"
            for place, letters in enumerate(self.letters)
            for name in NAMES
        )

    def _of(self, place: int) -> dict[str, str]:
        """What the metric needs of a customer: the number `y`, the divisor `w`, the number `x` before."""
        question = self.questions[place]
        after = self._within(place)
        numerator = after + (["e.name = %(event)s"] if question.is_ratio else [])
        found = {"y": self._column(question, numerator)}
        if question.is_ratio:
            found["w"] = self._column(None, [*after, "e.name = %(divisor)s"])
        if question.looks_back:
            before = ["e.occurred_at < a.assigned_at", "e.occurred_at >= a.assigned_at - %(lookback)s"]
            earlier = before + (["e.name = %(event)s"] if question.is_ratio else [])
            found["x"] = self._column(question, earlier)
        return found

    def _within(self, place: int) -> list[str]:
        """The window after assignment; its end only where somebody's has come."""
        question = self.questions[place]
        begin = f"a.assigned_at + %(days_{question.metric.from_day})s"
        parts = [f"e.occurred_at >= {begin}"]
        if self.latest > question.calendar.start + question.metric.window_days * DAY:
            parts.append(f"e.occurred_at < a.assigned_at + %(days_{question.metric.window_days})s")
        return parts

    def _column(self, question: Question | None, conditions: list[str]) -> str:
        adds_value = question is not None and metrics.get(question.metric.kind).reduction == "sum"
        adds = "coalesce(e.value, 0)" if adds_value else "1"
        text = f"CASE WHEN {' AND '.join(conditions)} THEN {adds} ELSE 0 END"
        return self._columns.setdefault(text, f"n{len(self._columns)}")

    def counted(self, place: int, letter: str, value: str) -> str:
        metric = self.questions[place].metric
        if letter == "w":
            return value
        if metrics.get(metric.kind).reduction == "any":
            return f"least({value}, 1)"
        return value if metric.cap is None else f"least({value}, %(cap_{place})s)"

    def _difference(self, place: int, one: str, other: str) -> str:
        once = metrics.get(self.questions[place].metric.kind).reduction == "any"
        if one == other and one != "w" and once:
            other = ""  # 0² is 0 and 1² is 1
        end, begin = (
            f"{one}{place}_{at} * {other}{place}_{at}" if other else f"{one}{place}_{at}" for at in "10"
        )
        return f"sum({end} - {begin})"


TERMS = {
    "total": ("y", ""), "squares": ("y", "y"), "weight": ("w", ""), "weight_squares": ("w", "w"),
    "products": ("y", "w"), "before": ("x", ""), "before_squares": ("x", "x"), "before_products": ("x", "y"),
}  # fmt: skip


def count_values(question: Question, view: View) -> dict[int, dict[Decimal, int]]:
    """How many customers of each variant have each number, to three significant digits; those without events
    are left out. The rounding keeps millions of different amounts to some thousand rows."""
    asked = _Pass([question], view, None)
    name = asked.letters[0]["y"]
    query = f"""
        WITH numbers AS (
            SELECT variant_id, customer_id, sum({name}) AS number
            FROM ({asked.rows("since", "latest", "")}) counted WHERE {name} <> 0 GROUP BY 1, 2
        ),
        counted AS (SELECT variant_id, ({asked.counted(0, "y", "number")})::numeric AS number FROM numbers)
        SELECT variant_id,
               CASE WHEN number = 0 THEN 0
                    ELSE round(number, 2 - floor(log(abs(number)))::int) END AS value, count(*)
        FROM counted GROUP BY 1, 2
    """  # noqa: S608
    found: dict[int, dict[Decimal, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(query, asked.parameters())
        for variant_id, value, n in cursor.fetchall():
            values = found.setdefault(variant_id, {})
            values[Decimal(value)] = values.get(Decimal(value), 0) + n
    return found


def _day_of(moment: str) -> str:
    return f"floor(date_part('epoch', {moment} - %(start)s) / 86400)::int"
