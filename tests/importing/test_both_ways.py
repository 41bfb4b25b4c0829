"""Columns at once and row by row: the same cells must end in the same records and the same refusals.

The way row by row is the definition (`values.py`); whatever the fast way calls plain must agree with it.
"""

import zoneinfo
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from personalization.customers.importing import CustomerImporter
from personalization.events.importing import EventImporter
from personalization.importing.blocks import Group
from personalization.importing.mapping import map_columns
from personalization.importing.pipeline import convert_group

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NASTY = [
    "", " ", "0", "-0", "-0.00", "+1", "007", "1e5", "NaN", "inf", "1.5", "1,5", "1.234,50", "1,234.50",
    "99999999999.99", "9" * 13, "0.005", "1.", ".5", "١٢", "a\0b", "tab\there", "new\nline", "quo\"te",
    "back\\slash", "\u00a0x", "x\u3000", "\ufeffx", "naïve", "汉字", "😀", "x" * 201, "x" * 300, "\x7f",
    "2026-01-02", "2026-02-30", "2024-02-29", "2026-01-02T03:04", "2026-01-02 03:04:05.123",
    "2026-01-02 03:04:05.1", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00", "2026-03-29T02:30:00",
    "2026-10-25T02:30:00", "1899-12-31", "2199-12-31T23:59:59", "2200-01-01", "1920-05-05",
    "31.12.2025 14:30",
    "12/31/2025", "20260102", "2026-W01-1", "2026-01-02T24:00:00", "2026-01-02T03:04:05-00:30", "1700000000",
    "ada@example.com", "a@b", "@", "a@", "a b@c.de", "Ada <a@b.c>", "x" * 250 + "@b.cd", "a@b@c",
    "GB", "gb", "United Kingdom", "en", "en_GB.UTF-8", "english!", "Europe/Berlin", "Mars/Olympus",
    "+442079460018", "020 7946 0018", "not a phone",
]  # fmt: skip
CELL = st.none() | st.sampled_from([cell for cell in NASTY if cell.strip()]) | st.text(max_size=12)


def compare(importer, columns: dict[str, pa.Array]) -> None:
    table = pa.table(columns)
    lines = np.arange(2, table.num_rows + 2)
    mapping = map_columns(importer, table.schema.names, chosen={})
    fast = convert_group(importer, Group(lines, tuple(table.schema.names), table), mapping)
    records = table.to_pylist()
    slow = convert_group(importer, Group(lines, tuple(table.schema.names), None, records), mapping)
    assert fast[0].to_pylist() == slow[0].to_pylist()
    assert fast[1].tolist() == slow[1].tolist()
    assert [(line, reason) for line, reason, _row in fast[2]] == [
        (line, reason) for line, reason, _row in slow[2]
    ]


class Customers(CustomerImporter):
    """Times in one spelling, so that both ways can be compared."""

    def convert(self, values, others):
        record = super().convert(values, others)
        return record | {"created_at": _one_spelling(record["created_at"])}

    def convert_plain(self, values, others, *, rows):
        found = super().convert_plain(values, others, rows=rows)
        if found is None:
            return None
        place = found[1].schema.names.index("created_at")
        times = [_one_spelling(cell) for cell in found[1]["created_at"].to_pylist()]
        return found[0], found[1].set_column(place, "created_at", pa.array(times, pa.string()))


def _one_spelling(text):
    return text and datetime.fromisoformat(text).astimezone(UTC).isoformat()


ROWS = st.integers(1, 12)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([UTC, BERLIN]))
def test_customers_are_the_same_both_ways(data, zone):
    rows = data.draw(ROWS)
    names = (
        "id",
        "email",
        "phone",
        "first_name",
        "country",
        "language",
        "time_zone",
        "created",
        "plan",
        "no te",
    )
    cells = {name: data.draw(st.lists(CELL, min_size=rows, max_size=rows)) for name in names}
    compare(Customers(zone=zone), {name: pa.array(column, pa.string()) for name, column in cells.items()})


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from([UTC, BERLIN]))
def test_events_are_the_same_both_ways(data, zone):
    rows = data.draw(ROWS)
    names = (
        "user_id",
        "event",
        "time",
        "sku",
        "amount",
        "event_id",
        "b",
        "a",
        "email",
        "phone",
        "visitor_id",
    )
    cells = {name: data.draw(st.lists(CELL, min_size=rows, max_size=rows)) for name in names}
    if not data.draw(st.booleans()):
        del cells["event_id"]
    compare(EventImporter(zone=zone), {name: pa.array(column, pa.string()) for name, column in cells.items()})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-10, 2_000_000_000_000),
        min_size=4,
        max_size=4,
    ),
    st.lists(st.none() | st.floats() | st.decimals(-1000, 1000, places=3).map(float), min_size=4, max_size=4),
    st.lists(st.none() | st.datetimes(datetime(1880, 1, 1), datetime(2210, 1, 1)), min_size=4, max_size=4),
    st.lists(st.none() | st.dates(date(1880, 1, 1), date(2210, 1, 1)), min_size=4, max_size=4),
)
@example([None, None, 0, -(2**63)], [None] * 4, [None] * 4, [None] * 4)
def test_typed_columns_are_the_same_both_ways(whole, floats, moments, days):
    ids = pa.array([1, 2, None, 4])
    common = {"n": pa.array(whole, pa.int64()), "x": pa.array(floats), "d": pa.array(days, pa.date32())}
    if pa.types.is_null(common["x"].type):
        common["x"] = pa.array(floats, pa.float64())
    stamps = pa.array(moments, pa.timestamp("us"))
    for zone in (UTC, BERLIN):
        compare(
            EventImporter(event="E", zone=zone),
            {"user_id": ids, "time": stamps, "amount": common["x"], **common},
        )
        compare(
            EventImporter(event="E", zone=zone), {"user_id": ids, "time": common["n"], "amount": common["n"]}
        )
        compare(EventImporter(event="E", zone=zone), {"user_id": ids, "time": common["d"], "t": stamps})
        compare(Customers(zone=zone), {"id": ids, "created": stamps, **common, "t": stamps})


def test_numbers_beyond_the_signed_ones_are_the_same_both_ways():
    huge = pa.array([2**64 - 5, 2**63, 7], pa.uint64())
    compare(EventImporter(event="E"), {"user_id": huge, "time": huge, "amount": huge, "n": huge})


@pytest.mark.parametrize("value", ["0.005", "0.015", "1.005", "2.675", "-0.004", "1e-9", "999999.995", "0.1"])
def test_half_a_cent_is_rounded_by_its_digits(value):
    numbers = pa.array([float(value)])
    compare(
        EventImporter(event="E"),
        {"user_id": pa.array(["1"]), "time": pa.array(["2026-01-01"]), "amount": numbers},
    )


def test_money_is_read_as_written():
    importer = EventImporter(event="E")
    table = pa.table({
        "user_id": ["1"] * 4, "time": ["2026-01-01"] * 4, "amount": ["4.5", "1.234,50", "1,234.5", "-3"],
    })  # fmt: skip
    group = Group(np.arange(4), tuple(table.schema.names), table)
    found, _rows, _refused = convert_group(importer, group, map_columns(importer, group.names, chosen={}))
    assert [Decimal(cell) for cell in found["value"].to_pylist()] == [
        Decimal("4.50"), Decimal("1234.50"), Decimal("1234.50"), Decimal(-3),
    ]  # fmt: skip
