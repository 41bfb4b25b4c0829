"""The SQL of one reading of events for several questions. It writes text and parameters, and asks nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from experiments import metrics
from experiments.metrics import NAMES
from experiments.models import Assignment
from experiments.sums.questions import DAY, Question, View, matching
from personalization.events.models import Event

TERMS = {
    "total": ("y", ""), "squares": ("y", "y"), "weight": ("w", ""), "weight_squares": ("w", "w"),
    "products": ("y", "w"), "before": ("x", ""), "before_squares": ("x", "x"), "before_products": ("x", "y"),
    "before_weight": ("v", ""), "before_weight_squares": ("v", "v"), "before_pairs": ("x", "v"),
    "total_before_weight": ("y", "v"), "weight_before": ("w", "x"), "weight_before_weight": ("w", "v"),
}  # fmt: skip


class Pass:
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
        """From y0 to y1, w0 to w1, x0 to x1, v0 to v1; y and x as the metric counts them (once, capped)."""
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
        """What the metric needs of a customer: the number `y`, the divisor `w`; `x` and `v` before."""
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
            if question.is_ratio:
                found["v"] = self._column(None, [*before, "e.name = %(divisor)s"])
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
        if letter in "wv":
            return value
        if metrics.get(metric.kind).reduction == "any":
            return f"least({value}, 1)"
        return value if metric.cap is None else f"least({value}, %(cap_{place})s)"

    def _difference(self, place: int, one: str, other: str) -> str:
        once = metrics.get(self.questions[place].metric.kind).reduction == "any"
        if one == other and one not in "wv" and once:
            other = ""  # 0² is 0 and 1² is 1
        end, begin = (
            f"{one}{place}_{at} * {other}{place}_{at}" if other else f"{one}{place}_{at}" for at in "10"
        )
        return f"sum({end} - {begin})"


def _day_of(moment: str) -> str:
    return f"floor(date_part('epoch', {moment} - %(start)s) / 86400)::int"
