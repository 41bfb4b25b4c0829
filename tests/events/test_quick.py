"""The short way to read a message: where it answers, it answers what careful reading does."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from personalization.events.errors import MessageError
from personalization.events.messages import read_message
from personalization.events.quick import QuickReader, is_plain

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRACK = {"type": "track", "messageId": "m1", "userId": "ada", "event": "Product Viewed"}
TIMES = st.sampled_from([
    None, "", "2026-02-28T23:59:59.123Z", "2026-02-28T23:59:59.123456+05:30", "2026-02-28 10:00:00", "soon",
    "2026-02-28T10:00", "2026-02-28", "1850-01-01T00:00:00Z", "2031-01-01T00:00:00Z", 1_772_000_000,
    "20260228", "2026-02-28T10:00:00.123456789Z", "2026-02-28t10:00:00z", "2026-02-28T24:00:00Z",
    "2026-02-28T10:00:60Z",
])  # fmt: skip
IDS = st.sampled_from(
    [None, "", " ", " ada ", "ada", 7, True, "x" * 201, "zwei\u0000", "é", "\ud800", ["ada"]]
)
AMOUNTS = st.sampled_from(
    [None, 4.5, "4.50", "free", 10, 1e15, 1e39, True, -0.0, 10**29, 10**31, 0.1 + 0.2, "1e2"]
)
PROPERTIES = st.dictionaries(
    st.sampled_from(["price", "value", "total", "revenue", "product_id", "sku", "name", "note", "products"]),
    st.one_of(
        AMOUNTS, st.text(max_size=5), st.just("a\\b\u0000"),
        st.lists(st.fixed_dictionaries({}, optional={"price": AMOUNTS, "sku": IDS}), max_size=3),
    ),
    max_size=4,
)  # fmt: skip
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "page", "screen", "identify", "nonsense", None]),
        "messageId": IDS, "userId": IDS, "anonymousId": IDS, "name": IDS,
        "event": st.sampled_from(["Product Viewed", "Order Completed", " padded ", "", 3, "x" * 201, "\t\n"]),
        "timestamp": TIMES, "originalTimestamp": TIMES, "sentAt": TIMES,
        "properties": st.one_of(st.none(), PROPERTIES, st.just([])),
        "context": st.sampled_from([None, {}, {"ip": "192.0.2.1", "locale": "en"}, 5, {"traits": {"a": 1}}]),
    },
)  # fmt: skip


def careful(body, sent_at):
    try:
        return read_message(body, sent_at=sent_at, received_at=NOW)
    except MessageError:
        return None


@settings(max_examples=400, derandomize=True, deadline=None)
@given(MESSAGES.map(lambda found: {**TRACK, **found}), st.sampled_from([None, NOW]))
@example(
    {**TRACK, "event": "Order Completed", "properties": {"products": [{"price": 2, "quantity": 3}]}}, None
)
def test_the_short_way_answers_what_careful_reading_does(body, sent_at):
    found = QuickReader(sent_at=sent_at, received_at=NOW).read(json.dumps(body).encode())
    if found is not None:
        assert found == careful(body, sent_at)


@pytest.mark.parametrize(
    "change",
    [
        {}, {"anonymousId": "cookie"}, {"userId": None, "anonymousId": "cookie"},
        {"type": "page", "name": "Home"},
        {"messageId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}, {"timestamp": "2026-02-01T00:00:00.000Z"},
        {"properties": {"note": "Grüße, “quoted” \\ 中文", "price": 4.5}}, {"context": {"locale": "en"}},
    ],
)  # fmt: skip
def test_what_clients_usually_send_goes_the_short_way(change):
    raw = json.dumps({**TRACK, **change}).encode()
    assert QuickReader(sent_at=NOW, received_at=NOW).read(raw) == careful({**TRACK, **change}, NOW)


@pytest.mark.parametrize(
    "number", ["1e39", "-1E99", "9" * 39, "[1, 2e400]", '"a\\u0000"', "[" * 25 + "]" * 25]
)
def test_what_the_database_might_refuse_is_read_with_care(number):
    raw = json.dumps(TRACK)[:-1] + f', "properties": {{"n": {number}}}}}'
    assert QuickReader(sent_at=None, received_at=NOW).read(raw.encode()) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('{"n": 12345678901234567890123456789012345678}', False), ('{"n": "a\\u0000"}', False),
        ('{"n": 1234567890123456789012345678901234567}', True), ('{"n": "a\\u0020"}', True),
    ],
)  # fmt: skip
def test_a_whole_call_is_looked_at_once_for_what_is_odd(text, plain):
    assert is_plain(f"[{text}, {{}}]".encode()) is plain


def test_broken_letters_are_read_with_care():
    raw = json.dumps({**TRACK, "properties": {"n": "?"}}).encode().replace(b"?", b"\xff")
    assert QuickReader(sent_at=None, received_at=NOW).read(raw) is None
