"""What each day adds to the sums of each variant, or each group of customers to the sum of all days.

With each event a customer's running number moves from y0 to y1; each sum moves by the difference of its terms
(the squares by y1² − y0²), so that days add up, and so that a later day can start from where the last one
ended: at the customer's totals (see `totals`). Metrics that ask the same events are answered in one pass.
All numbers are whole (hundredths), and every sum is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from experiments.metrics import Sums
from experiments.sums.columns import Column, Counting, Integers, letters
from experiments.sums.questions import ByDay, Question, View
from experiments.sums.reading import Events, Reading
from experiments.sums.totals import Totals

TERMS = {
    "total": ("y", ""), "squares": ("y", "y"), "weight": ("w", ""), "weight_squares": ("w", "w"),
    "products": ("y", "w"), "before": ("x", ""), "before_squares": ("x", "x"), "before_products": ("x", "y"),
    "before_weight": ("v", ""), "before_weight_squares": ("v", "v"), "before_pairs": ("x", "v"),
    "total_before_weight": ("y", "v"), "weight_before": ("w", "x"), "weight_before_weight": ("w", "v"),
}  # fmt: skip
# Beyond it, sums might not fit into 64 bits.
LIMIT = 2.0**62


@dataclass(frozen=True)
class Steps:
    """Of each column, what the event's customer had `before` it and `after` it. `last`: the places of each
    customer's last event."""

    events: Events
    last: Integers
    before: dict[Column, Integers]
    after: dict[Column, Integers]


def sum_steps(
    questions: Sequence[Question],
    *,
    view: View,
    past: Totals | None = None,
    keep: Totals | None = None,
    only: Sequence[int] | None = None,
    without: Sequence[int] = (),
    groups: str | None = None,
) -> list[ByDay]:
    """For each question the sums by variant id and day, of events since the totals `past` as far as the view
    reaches; where their customers stand then is stored in `keep`.

    The questions must share their source. `only`, `without` and `groups`: see `Reading`; the labels take the
    place of the days.
    """
    since = past.until if past else None
    reading = Reading(questions, view, since=since, only=only, without=without, groups=groups)
    exact: list[dict[tuple[str, int, int], int]] = [{} for _ in questions]
    for steps in _walk(reading, past, keep):
        cells, cell_of = _cells(steps.events)
        for question, found in zip(questions, exact, strict=True):
            for name, amounts in _differences(question, steps, cell_of, len(cells)):
                for (variant_id, day), amount in zip(cells, amounts.tolist(), strict=True):
                    if amount:
                        key = (name, variant_id, day)
                        found[key] = found.get(key, 0) + amount
    days = reading.labels if groups is not None else None
    return [_by_day(question, found, days) for question, found in zip(questions, exact, strict=True)]


def count_values(question: Question, view: View) -> dict[int, dict[Decimal, int]]:
    """How many customers of each variant have each number, to three significant digits; those whose number
    is 0 are left out. The rounding keeps millions of different amounts to some thousand rows."""
    counting, column = Counting.by(question, "y"), letters(question)["y"]
    found: dict[int, dict[Decimal, int]] = {}
    for steps in _walk(Reading([question], view), None, None):
        numbers = _three_digits(counting.of(steps.after[column][steps.last]))
        variants = steps.events.variant[steps.last]
        for variant_id in np.unique(variants).tolist():
            values = found.setdefault(variant_id, {})
            for value, n in zip(
                *np.unique(numbers[(variants == variant_id) & (numbers != 0)], return_counts=True),
                strict=True,
            ):
                amount = Decimal(int(value)).scaleb(-counting.places)
                values[amount] = values.get(amount, 0) + int(n)
    return found


def _walk(reading: Reading, past: Totals | None, keep: Totals | None) -> Iterator[Steps]:
    for events in reading:
        new = np.append(True, events.customer[1:] != events.customer[:-1])
        first, last = np.flatnonzero(new), np.flatnonzero(np.append(new[1:], True))
        place = np.cumsum(new) - 1
        customers = events.customer[first]
        started = past.of(customers, reading.columns, events.packs) if past else {}
        before, after = {}, {}
        for column in reading.columns:
            amounts = column.amounts(events)
            start = started.get(column, np.zeros(len(customers), dtype=np.int64))
            _check_range(amounts, start)
            so_far = np.cumsum(amounts)
            # The running sum of all customers, less where each began.
            after[column] = so_far + (start - (so_far - amounts)[first])[place]
            before[column] = after[column] - amounts
        if keep is not None:
            keep.put(customers, {column: after[column][last] for column in reading.columns}, events.packs)
        yield Steps(events, last, before, after)


def _check_range(amounts: Integers, start: Integers) -> None:
    if np.abs(amounts.astype(float)).sum() + np.abs(start.astype(float)).max(initial=0) > LIMIT:
        raise OverflowError("the values of these events add up to more than 46 quadrillion")


def _cells(events: Events) -> tuple[list[tuple[int, int]], Integers]:
    """Variant and day of each cell, and the cell of each event."""
    begin = events.day.min()
    span = int(events.day.max() - begin) + 1
    variants, variant_of = np.unique(events.variant, return_inverse=True)
    cells = [(variant, int(begin) + day) for variant in variants.tolist() for day in range(span)]
    return cells, variant_of * span + events.day - begin


def _differences(
    question: Question, steps: Steps, cell_of: Integers, size: int
) -> Iterator[tuple[str, NDArray[np.object_]]]:
    """Of each of the question's sums, by how much it grew in each cell."""
    columns = letters(question)
    counted = {
        letter: [Counting.by(question, letter).of(side[column]) for side in (steps.before, steps.after)]
        for letter, column in columns.items()
    }
    for name, (one, other) in TERMS.items():
        if not set(one + other) <= set(columns):
            continue
        begin, end = counted[one]
        if other:
            others = counted[other]
            if _top(end, begin) * _top(*others) * len(end) * 2 > LIMIT:
                begin, end = begin.astype(object), end.astype(object)
            begin, end = begin * others[0], end * others[1]
        grown = np.zeros(size, dtype=end.dtype)
        np.add.at(grown, cell_of, end - begin)
        yield name, grown


def _top(*arrays: NDArray[np.int64]) -> float:
    return max(float(max(numbers.max(), -numbers.min())) for numbers in arrays)


def _by_day(
    question: Question, exact: dict[tuple[str, int, int], int], labels: Sequence[str] | None
) -> ByDay:
    places = {letter: Counting.by(question, letter).places for letter in letters(question)} | {"": 0}
    parts: dict[tuple[int, int], dict[str, Decimal]] = {}
    for (name, variant_id, day), amount in exact.items():
        one, other = TERMS[name]
        number = Decimal(amount).scaleb(-places[one] - places[other])
        parts.setdefault((variant_id, day), {})[name] = number
    found: ByDay = {}
    for (variant_id, day), numbers in parts.items():
        found.setdefault(variant_id, {})[labels[day] if labels is not None else day] = Sums(**numbers)
    return found


def _three_digits(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    size = np.abs(numbers)
    digits = np.floor(np.log10(np.maximum(size, 1))).astype(np.int64) + 1
    unit = 10 ** np.maximum(digits - 3, 0)
    return np.sign(numbers) * ((size + unit // 2) // unit * unit)
