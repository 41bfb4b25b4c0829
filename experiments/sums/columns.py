"""What a metric needs of a customer: up to four numbers, each a column that events add to. No database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from experiments import metrics
from experiments.sums.questions import DAY, Question

if TYPE_CHECKING:
    from experiments.sums.reading import Events

Integers = NDArray[np.int64]
Counts = Literal["all", "event", "divisor"]
# Microseconds.
DAY_LONG = DAY // (DAY / 86_400_000_000)


@dataclass(frozen=True)
class Column:
    """From `from_day` to `to_day` after assignment, both negative for what came before: the sum of values, in
    hundredths, or the number of events.
    """

    adds_value: bool
    counts: Counts
    from_day: int
    to_day: int

    @property
    def name(self) -> str:
        """The same for the same definition, for ever: under it totals are stored."""
        return f"{'value' if self.adds_value else 'number'} {self.counts} {self.from_day} {self.to_day}"

    def amounts(self, events: Events) -> Integers:
        """What each event adds."""
        age = events.occurred_at - events.assigned_at
        counted = (age >= self.from_day * DAY_LONG) & (age < self.to_day * DAY_LONG)
        if self.counts != "all":
            counted &= events.is_event if self.counts == "event" else events.is_divisor
        found: Integers = np.where(counted, events.value if self.adds_value else 1, 0)
        return found


def letters(question: Question) -> dict[str, Column]:
    """The number `y`, the divisor `w`; `x` and `v` the same before assignment."""
    metric = question.metric
    adds_value = metrics.get(metric.kind).reduction == "sum"
    counts: Counts = "event" if question.is_ratio else "all"
    after, before = (metric.from_day, metric.window_days), (-metric.covariate_days, 0)
    found = {"y": Column(adds_value, counts, *after)}
    if question.is_ratio:
        found["w"] = Column(False, "divisor", *after)
    if question.looks_back:
        found["x"] = Column(adds_value, counts, *before)
        if question.is_ratio:
            found["v"] = Column(False, "divisor", *before)
    return found


def columns_of(questions: Sequence[Question]) -> tuple[Column, ...]:
    """Each once."""
    return tuple(dict.fromkeys(column for question in questions for column in letters(question).values()))


@dataclass(frozen=True)
class Counting:
    """How a metric counts a customer's number: once, or up to its cap. `places` behind the point of what
    `of` answers.
    """

    once: bool
    cap: int | None
    factor: int
    places: int

    @classmethod
    def by(cls, question: Question, letter: str) -> Counting:
        reduction, cap = metrics.get(question.metric.kind).reduction, question.metric.cap
        if letter in "wv":
            return cls(False, None, 1, 0)
        if reduction == "any":
            return cls(True, None, 1, 0)
        if cap is None:
            return cls(False, None, 1, 2 if reduction == "sum" else 0)
        # A cap of 2.50 events is possible: then events are counted in hundredths, too.
        return cls(False, int(Decimal(cap) * 100), 1 if reduction == "sum" else 100, 2)

    def of(self, numbers: Integers) -> NDArray[Any]:
        if self.once:
            return np.minimum(numbers, 1)
        return numbers if self.cap is None else np.minimum(numbers * self.factor, self.cap)
