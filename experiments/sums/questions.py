"""What is asked of the events: a metric of an experiment, its days, and which events it may see."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from experiments.metrics import Sums
from experiments.models import Experiment, Metric, MetricScope

DAY = timedelta(days=1)
ByDay = dict[int, dict[Any, Sums]]

# Customers of one pack differ in the lowest bits of their ids only.
PACK_BITS = 12

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
            "key": self.experiment.events_key,
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
