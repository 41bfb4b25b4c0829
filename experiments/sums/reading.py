"""Events on their way out of the database: in batches of whole packs of customers, as arrays.

One row of the query is a pack, and each of its columns a string of binary numbers: a million events are some
hundred rows, and no event ever becomes an object. Packs come one after the other, so that memory holds a
batch, not the campaign.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from experiments.models import Assignment
from experiments.sums.columns import Column, columns_of
from experiments.sums.metric_sums import rows_of
from experiments.sums.questions import DAY, PACK_BITS, Question, View, matching
from personalization.events.models import Event

Integers = NDArray[np.int64]

# Events of a batch, as far as packs allow: enough to be quick, few enough to need 100 MB.
BATCH = 500_000
MICROSECOND = timedelta(microseconds=1)
# Where PostgreSQL counts its microseconds from.
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Events:
    """Arrays of one length, in the order of customers and of `day`. Moments in microseconds since `EPOCH`,
    `value` in hundredths. `day` may be the number of a label instead.
    """

    packs: tuple[int, ...]
    customer: Integers
    variant: Integers
    day: Integers
    assigned_at: Integers
    occurred_at: Integers
    value: Integers
    is_event: NDArray[np.bool_]
    is_divisor: NDArray[np.bool_]


class Reading:
    """What several questions with one source read: from `since` (None: all) as far as the view reaches.

    `only` and `without` name customers. `groups` is a table of customer_id and label; the places of the
    labels in `labels` take the place of the days, and who is not in it is left out.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        view: View,
        *,
        since: datetime | None = None,
        only: Sequence[int] | None = None,
        without: Sequence[int] = (),
        groups: str | None = None,
    ) -> None:
        self.one, self.view, self.groups = questions[0], view, groups
        self.columns: tuple[Column, ...] = columns_of(questions)
        first = min(question.first for question in questions)
        self.since = first if since is None else max(since, first)
        self.latest = min(view.until, max(question.closes for question in questions))
        self.only, self.without = only, without

    @property
    def is_empty(self) -> bool:
        return (self.only is not None and not self.only) or self.since >= self.latest

    @cached_property
    def labels(self) -> list[str]:
        return [label for (label,) in rows_of(f"SELECT DISTINCT label FROM {self.groups} ORDER BY 1", {})]  # noqa: S608

    def __iter__(self) -> Iterator[Events]:
        """In the order of packs. The transaction must last until the end."""
        if self.is_empty:
            return
        kinds = self._kinds()
        # A sort spills to disk where a hash table of growing strings would not.
        rows_of("SET LOCAL enable_hashagg = off", {})
        with connection.chunked_cursor() as cursor:
            cursor.execute(self._query(kinds), self._parameters())
            rows_of("SET LOCAL enable_hashagg = on", {})
            waiting: list[tuple[Any, ...]] = []
            size = 0
            while some := cursor.fetchmany(8):
                waiting += some
                size += sum(row[1] for row in some)
                if size >= BATCH:
                    yield self._events(waiting, kinds)
                    waiting, size = [], 0
            if waiting:
                yield self._events(waiting, kinds)

    def _kinds(self) -> dict[str, tuple[str, str]]:
        """Per column of a pack: what PostgreSQL writes, and how numpy reads it."""
        found = {
            "customer": (f"int2send((e.customer_id & {(1 << PACK_BITS) - 1})::int2)", ">i2"),
            "variant": ("int8send(a.variant_id)", ">i8"),
            "assigned_at": ("timestamptz_send(a.assigned_at)", ">i8"),
            "occurred_at": ("timestamptz_send(e.occurred_at)", ">i8"),
        }
        if any(column.adds_value for column in self.columns):
            found["value"] = ("int8send((coalesce(e.value, 0) * 100)::int8)", ">i8")
        if self.one.is_ratio:
            found["is_event"] = ("boolsend(e.name = %(event)s)", "?")
            found["is_divisor"] = ("boolsend(e.name = %(divisor)s)", "?")
        if self.groups is not None:
            found["label"] = ("int4send(array_position(%(labels)s::text[], g.label) - 1)", ">i4")
        return found

    def _query(self, kinds: dict[str, tuple[str, str]]) -> str:
        packed = ", ".join(f"string_agg({text}, ''::bytea)" for text, _kind in kinds.values())
        parts = [
            "a.experiment_id = %(experiment)s AND a.assigned_at < %(until)s",
            "e.occurred_at >= %(since)s AND e.occurred_at < %(latest)s",
            matching(self.one),
        ]
        if self.view.received_until is not None:
            parts.append("e.received_at <= %(received)s")
        if self.only is not None:
            parts.append("e.customer_id = ANY(%(only)s)")
        if self.without:
            parts.append("e.customer_id <> ALL(%(without)s)")
        join = f"JOIN {self.groups} g ON g.customer_id = e.customer_id" if self.groups is not None else ""
        return f"""
            SELECT e.customer_id >> {PACK_BITS}, count(*), {packed} FROM {Event._meta.db_table} e
            JOIN {Assignment._meta.db_table} a ON a.customer_id = e.customer_id {join}
            WHERE {" AND ".join(parts)} GROUP BY 1 ORDER BY 1
        """  # noqa: S608  (table names and our own fragments only)

    def _parameters(self) -> dict[str, Any]:
        return self.one.parameters() | {
            "since": self.since, "latest": self.latest, "until": self.view.until,
            "received": self.view.received_until, "only": list(self.only or ()),
            "without": list(self.without), "labels": self.labels if self.groups is not None else [],
        }  # fmt: skip

    def _events(self, rows: list[tuple[Any, ...]], kinds: dict[str, tuple[str, str]]) -> Events:
        packs, counts, *strings = zip(*rows, strict=True)
        read = {
            name: np.frombuffer(b"".join(parts), kind)
            for (name, (_text, kind)), parts in zip(kinds.items(), strings, strict=True)
        }
        customer = (np.repeat(packs, counts) << PACK_BITS) + read["customer"]
        day = read["label"] if self.groups is not None else self._days(read)
        order = np.lexsort((day, customer))
        n, all_of_them = len(order), np.ones(len(order), dtype=bool)
        numbers = {
            name: (read[name] if name in read else np.zeros(n))[order].astype(np.int64)
            for name in ("variant", "assigned_at", "occurred_at", "value")
        }
        return Events(
            packs,
            customer=customer[order],
            day=day[order].astype(np.int64),
            is_event=read.get("is_event", all_of_them)[order],
            is_divisor=read.get("is_divisor", all_of_them)[order],
            **numbers,
        )

    def _days(self, read: dict[str, NDArray[Any]]) -> Integers:
        """What came before assignment counts on the day of assignment."""
        at = read["occurred_at"].astype(np.int64)
        if self.one.looks_back:
            at = np.maximum(at, read["assigned_at"].astype(np.int64))
        start = (self.one.calendar.start - EPOCH) // MICROSECOND
        found: Integers = (at - start) // (DAY // MICROSECOND)
        return found
