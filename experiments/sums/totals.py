"""Where each customer stood when days were stored, so that one more day reads the new events alone.

One number per customer and column (see `columns`), in packs: a row holds the 4,096 customers whose ids differ
in the lowest 12 bits, as arrays of the smallest integers that hold them. Who has zeros only is left out. A
million customers with twenty metrics take 10 to 30 MB, and a day rewrites them in a second.

Totals hold for one view exactly: that of the stored sums of all questions with their source. Where the two
disagree, both go, and everything is read anew. They also go when somebody in them is erased (the stored sums
then go, too: the assignment leads to an empty row), and when every window has closed, because nothing can be
added any more.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
from django.db import connection

from experiments.models import SourceTotals, TotalsPack
from experiments.sums.columns import Column, Integers, columns_of
from experiments.sums.questions import PACK_BITS, Question, View

# Bytes of a stored integer.
WIDTHS = (1, 2, 4, 8)
Loaded = tuple[Integers, Integers]


class Totals:
    """Of the questions with one source. A table of them has a row per column, in the stored order, and a
    column per customer, ascending."""

    def __init__(self, row: SourceTotals) -> None:
        self.row = row
        self._loaded: tuple[Sequence[int], Loaded] | None = None

    @property
    def until(self) -> datetime:
        return self.row.until

    @property
    def view(self) -> View:
        return View(self.row.until, self.row.received_until)

    def move(self, to: View) -> None:
        assert to.received_until is not None
        self.row.until, self.row.received_until = to.until, to.received_until
        self.row.save(update_fields=["until", "received_until"])

    def of(
        self, customers: Integers, columns: Sequence[Column], packs: Sequence[int]
    ) -> dict[Column, Integers]:
        """The numbers of these customers, all of them in these packs; nothing when nobody there has any."""
        ids, table = self._load(packs)
        if not len(ids):
            return {}
        place = np.minimum(np.searchsorted(ids, customers), len(ids) - 1)
        known = ids[place] == customers
        rows = {name: table[row] for row, name in enumerate(self.row.columns)}
        return {column: np.where(known, rows[column.name][place], 0) for column in columns}

    def put(self, customers: Integers, numbers: Mapping[Column, Integers], packs: Sequence[int]) -> None:
        """Instead of what was stored of these customers, ascending and all of them in these packs."""
        ids, table = self._load(packs)
        stays = ~np.isin(ids, customers)
        named = {column.name: row for column, row in numbers.items()}
        ids = np.append(ids[stays], customers)
        table = np.append(table[:, stays], np.array([named[name] for name in self.row.columns]), axis=1)
        order = np.argsort(ids)
        order = order[np.any(table[:, order] != 0, axis=0)]
        ids, table = ids[order], table[:, order]
        edges = np.searchsorted(ids >> PACK_BITS, [*packs, packs[-1] + 1])
        rows = (
            (self.row.pk, number, *_pack(number, ids[begin:end], table[:, begin:end]))
            for number, begin, end in zip(packs, edges, edges[1:], strict=False)
        )
        _write(self.row, packs, rows)
        self._loaded = None

    def _load(self, packs: Sequence[int]) -> Loaded:
        if self._loaded is None or self._loaded[0] != packs:
            self._loaded = packs, _table(self.row, packs)
        return self._loaded[1]


def find_totals(questions: Sequence[Question]) -> Totals | None:
    """None where there are none, or those of other columns."""
    row = SourceTotals.objects.filter(
        experiment=questions[0].experiment, source_key=key_of(questions[0])
    ).first()
    return Totals(row) if row is not None and row.columns == _names(questions) else None


def begin_totals(questions: Sequence[Question], view: View) -> Totals:
    """Of nobody yet; what was there before goes."""
    assert view.received_until is not None
    forget_totals(questions)
    one = questions[0]
    row = SourceTotals.objects.create(
        experiment=one.experiment, source_key=key_of(one), source=one.source, columns=_names(questions),
        until=view.until, received_until=view.received_until,
    )  # fmt: skip
    return Totals(row)


def forget_totals(questions: Sequence[Question]) -> None:
    one = questions[0]
    SourceTotals.objects.filter(experiment=one.experiment, source_key=key_of(one)).delete()


def numbers_of(row: SourceTotals, customer_ids: Sequence[int]) -> Iterator[dict[str, int]]:
    """Of each of these customers who has any: column names with numbers (amounts in hundredths)."""
    ids, table = _table(row, sorted({customer_id >> PACK_BITS for customer_id in customer_ids}))
    for place in np.flatnonzero(np.isin(ids, customer_ids)).tolist():
        yield dict(zip(row.columns, table[:, place].tolist(), strict=True))


def key_of(question: Question) -> str:
    return hashlib.blake2b(json.dumps(question.source).encode(), digest_size=16).hexdigest()


def _names(questions: Sequence[Question]) -> list[str]:
    return sorted(column.name for column in columns_of(questions))


def _table(row: SourceTotals, packs: Sequence[int]) -> Loaded:
    ids, parts = [np.empty(0, np.int64)], [np.empty((len(row.columns), 0), np.int64)]
    for number, customers, numbers in (
        TotalsPack.objects.filter(totals=row, number__in=packs)
        .order_by("number")
        .values_list("number", "customers", "numbers")
    ):
        ids.append((number << PACK_BITS) + np.frombuffer(customers, "<u2").astype(np.int64))
        n = len(ids[-1])
        parts.append(np.array(list(_rows(numbers, n)), np.int64).reshape(len(numbers), n))
    return np.concatenate(ids), np.concatenate(parts, axis=1)


def _pack(number: int, ids: Integers, table: Integers) -> tuple[bytes, list[bytes]]:
    """Columns are alike as long as only their windows' ends differ: one like the column before is empty."""
    rows = [_bytes(row) for row in table]
    kept = [b"" if here == before else here for before, here in zip([None, *rows], rows, strict=False)]
    return (ids - (number << PACK_BITS)).astype("<u2").tobytes(), kept


def _write(
    row: SourceTotals, packs: Sequence[int], rows: Iterable[tuple[int, int, bytes, list[bytes]]]
) -> None:
    """By COPY: as parameters, every byte would be written as two letters."""
    TotalsPack.objects.filter(totals=row, number__in=packs).delete()
    into = (
        f"COPY {TotalsPack._meta.db_table} (totals_id, number, customers, numbers) FROM STDIN (FORMAT BINARY)"
    )
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        copy.set_types(["int8", "int8", "bytea", "bytea[]"])
        for one in rows:
            copy.write_row(one)


def _bytes(numbers: Integers) -> bytes:
    most = int(np.abs(numbers).max(initial=0))
    width = next(width for width in WIDTHS if most < 1 << (8 * width - 1))
    return numbers.astype(f"<i{width}").tobytes()


def _rows(stored: Sequence[bytes | memoryview], n: int) -> Iterator[Integers]:
    row = np.empty(0, np.int64)
    for one in stored:
        if one:
            row = np.frombuffer(one, f"<i{len(one) // n}").astype(np.int64)
        yield row
