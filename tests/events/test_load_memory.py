"""A longer file takes no more memory: blocks of 1,000 rows, ten times as many of them."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from personalization.events import importing
from personalization.events.models import Event
from personalization.events.occurrences import OccurrenceCounter

ROWS = 1_000


def batches(number: int, *, first: int = 0) -> Iterator[pa.RecordBatch]:
    """Rows of 500 customers each, all unlike."""
    for at in range(first, first + number):
        yield pa.RecordBatch.from_pydict({
            "customer_id": [f"c{at // 2}-{row % 500}" for row in range(ROWS)],
            "event": ["Order Line"] * ROWS,
            "timestamp": [1_700_000_000 + at] * ROWS,
            "basket": list(range(ROWS)),
        })  # fmt: skip


def peak(work) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_times_the_keys_take_no_more_memory():
    def count(keys: int) -> None:
        counter = OccurrenceCounter(kept=4_096)
        for number in range(keys // ROWS):
            counter.number(np.arange(number * ROWS, (number + 1) * ROWS, dtype=np.uint64))

    assert peak(lambda: count(200_000)) < 1.1 * peak(lambda: count(20_000))


@pytest.mark.django_db
def test_ten_times_the_rows_take_no_more_memory(monkeypatch: pytest.MonkeyPatch):
    # So few that ten blocks reach what is remembered.
    monkeypatch.setattr(importing, "MOST_KNOWN", 1_000)
    monkeypatch.setattr(importing, "OccurrenceCounter", lambda: OccurrenceCounter(kept=2_048))
    importing.load_batches(batches(3))  # what is kept once and for all
    small = peak(lambda: importing.load_batches(batches(10, first=10)))
    arrow = pa.default_memory_pool().max_memory()
    large = peak(lambda: importing.load_batches(batches(100, first=100)))
    assert Event.objects.count() == 113 * ROWS
    assert large < 1.25 * small
    assert pa.default_memory_pool().max_memory() < 1.25 * arrow
