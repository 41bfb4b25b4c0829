"""The Segment endpoints, over Django's handler and the real database."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.contrib.sessions.middleware import SessionMiddleware
from django.utils import timezone
from structlog.testing import capture_logs

from personalization.access import authentication
from personalization.access.models import ApiKey
from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.customers.declarations import TraitDeclaration
from personalization.customers.models import Customer
from personalization.events import ingestion
from personalization.events.models import Event

pytestmark = pytest.mark.django_db


def test_a_tracked_event_is_stored_with_item_value_and_time(post):
    tea = Item.objects.create(external_id="tea-1", name="Tea")
    answer = post("track", {
        "userId": "ada", "event": "Product Added", "messageId": "m1", "timestamp": "2026-01-02T03:04:05Z",
        "properties": {"product_id": "tea-1", "price": "4.50"},
        "context": {"ip": "192.0.2.7", "locale": "en"},
    })  # fmt: skip
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    event = Event.objects.get()
    assert (event.item_id, event.value, event.customer.external_id) == (tea.pk, Decimal("4.50"), "ada")
    assert event.occurred_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert event.context == {"locale": "en"}


def test_the_clients_wrong_clock_is_corrected(post):
    before = datetime.now(UTC)
    post("track", {
        "userId": "ada", "event": "E", "originalTimestamp": "2031-01-01T00:00:00Z",
        "sentAt": "2031-01-01T01:00:00Z",
    })  # fmt: skip
    shift = before - Event.objects.get().occurred_at
    assert abs(shift - timedelta(hours=1)) < timedelta(minutes=1)


def test_no_event_lies_in_the_future(post):
    post("track", {"userId": "ada", "event": "E", "timestamp": "2099-01-01T00:00:00Z"})
    assert Event.objects.get().occurred_at <= datetime.now(UTC)


def test_an_order_is_also_written_line_by_line_and_only_once(post):
    mug = Item.objects.create(external_id="mug", name="Mug")
    order = {
        "type": "track", "userId": "ada", "event": "Order Completed", "messageId": "o1",
        "properties": {"order_id": "7", "total": 27.5, "revenue": 25, "products": [
            {"product_id": "mug", "price": 10, "quantity": 2}, {"sku": "unknown", "price": 5},
        ]},
    }  # fmt: skip
    for _ in range(2):
        assert post("batch", {"batch": [order]}).json() == {"success": True}
    assert Event.objects.get(name="Order Completed").value == Decimal("27.50")
    lines = Event.objects.filter(name="Order Line").order_by("-value")
    assert [(line.item_id, line.value) for line in lines] == [(mug.pk, Decimal(20)), (None, Decimal(5))]
    assert lines[1].properties["sku"] == "unknown"
    assert Event.objects.count() == 3


@pytest.mark.parametrize(
    ("more", "worth"),
    [
        ({}, Decimal("25.50")),
        ({"total": 27}, Decimal(27)),
        ({"products": [{"sku": "a", "price": 1}, {"sku": "b"}]}, None),
    ],
)
def test_an_order_that_names_no_amount_is_worth_its_products(post, more, worth):
    products = [{"sku": "a", "price": 10, "quantity": 2}, {"sku": "b", "price": "5.50"}]
    properties = {"order_id": "7", "products": products, **more}
    post("track", {"userId": "ada", "event": "Order Completed", "properties": properties})
    assert Event.objects.get(name="Order Completed").value == worth


def test_one_bad_row_never_loses_its_neighbors(post):
    good = {"type": "track", "userId": "ada", "event": "E"}
    bad = [
        {"type": "track", "event": "nobody"}, {"type": "wrong", "userId": "x"}, "text", None,
        {"type": "track", "userId": "ada"}, {**good, "timestamp": "yesterday"},
        {**good, "properties": {"value": 1e15}}, {**good, "properties": {"n": 10**60}},
        {**good, "properties": []}, {**good, "userId": {"a": 1}}, {**good, "context": 5},
        {**good, "properties": {"long": "x" * 40_000}},
    ]  # fmt: skip
    answer = post("batch", {"batch": [good, *bad, good]})
    assert answer.status_code == 200
    assert [error["index"] for error in answer.json()["errors"]] == list(range(1, len(bad) + 1))
    assert Event.objects.count() == 2


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "9" * 5000])
def test_impossible_numbers_lose_only_their_own_row(post, number):
    start = '{"type":"track","userId":"a","event":"E","properties":{"n":'
    answer = post("batch", f'{{"batch":[{start}{number}}}}},{start}1}}}}]}}'.encode())
    assert [error["index"] for error in answer.json()["errors"]] == [0]
    assert Event.objects.get().properties == {"n": 1}


def test_nul_and_half_surrogates_are_stored_harmlessly(post):
    body = rb'{"userId":"a\u0000da","event":"E\ud800","properties":{"k\u0000":"\udc00"}}'
    assert post("track", body).status_code == 200
    event = Event.objects.get()
    assert (event.customer.external_id, event.name) == ("ada", "E\ufffd")
    assert event.properties == {"k": "\ufffd"}


def test_what_is_no_json_or_too_large_is_refused_with_a_problem(post):
    for body, status in (
        (b"{", 400),
        (b"[]", 400),
        (b'{"batch": 3}', 400),
        (b"\xff", 400),
        (b" " * 600_000, 413),
    ):
        answer = post("batch", body)
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert post("track", {"userId": "a", "event": "x" * 40_000}).status_code == 413
    deep = b'{"userId":"a","event":"E","properties":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"
    assert post("track", deep).status_code in (400, 413)


def test_a_gzip_bomb_is_refused(post):
    bomb = gzip.compress(b" " * 50_000_000)
    assert post("batch", bomb, **{"Content-Encoding": "gzip"}).status_code == 413
    body = gzip.compress(json.dumps({"batch": [{"type": "track", "userId": "a", "event": "E"}]}).encode())
    assert post("batch", body, **{"Content-Encoding": "gzip"}).json() == {"success": True}


def test_the_key_is_taken_as_basic_user_bearer_or_write_key(client, token, post):
    body = {"userId": "a", "event": "E"}
    basic = "Basic " + base64.b64encode(f"{token}:".encode()).decode()
    assert post("track", body, Authorization=basic).status_code == 200
    answer = client.post(
        "/v1/track", json.dumps({**body, "writeKey": token}), content_type="application/json"
    )
    assert answer.status_code == 200
    assert post("track", body, Authorization="Bearer bsp_wrong_key").status_code == 401
    assert client.post("/v1/track", json.dumps(body), content_type="application/json").status_code == 401
    reader = create_key(name="r", scopes=["customers:read"])[1]
    assert post("track", body, Authorization=f"Bearer {reader}").status_code == 403
    assert client.get("/v1/track").status_code == 405


def test_a_message_without_id_counts_once_when_it_says_when_it_happened(post):
    message = {"userId": "ada", "event": "E", "timestamp": "2026-01-01T00:00:00Z"}
    for _ in range(2):
        post("track", message)
    assert Event.objects.count() == 1
    for _ in range(2):
        post("track", {"userId": "ada", "event": "E"})
    assert Event.objects.count() == 3


def test_group_and_screen_are_understood(post):
    assert post("group", {"userId": "ada", "groupId": "club", "traits": {"size": 3}}).status_code == 200
    assert post("screen", {"userId": "ada", "name": "Start"}).status_code == 200
    assert Customer.objects.get().traits == {"group": {"id": "club", "size": 3}}
    assert Event.objects.get().name == "Screen Viewed"


def test_a_declared_trait_that_does_not_fit_costs_nothing_else(post):
    TraitDeclaration.objects.create(name="age", value_type="whole")
    calls = [
        {"type": "identify", "userId": "ada", "traits": {"age": "old", "plan": "gold"}},
        {"type": "identify", "userId": "bob", "traits": {"age": "33"}},
        {"type": "track", "userId": "ada", "event": "E"},
    ]
    answer = post("batch", {"batch": calls}).json()
    reason = "trait age was not taken: not a number; everything else was"
    assert answer == {"success": True, "errors": [{"index": 0, "reason": reason}]}
    assert Customer.objects.get(external_id="ada").traits == {"plan": "gold"}
    assert Customer.objects.get(external_id="bob").traits == {"age": 33}
    assert Event.objects.get().name == "E"


def test_a_repeated_call_stores_only_what_is_new(post):
    def call(*numbers):
        batch = [{"type": "track", "userId": "ada", "event": "E", "messageId": f"m{n}"} for n in numbers]
        return post("batch", {"batch": batch}).json()

    for numbers in ([1, 2, 2], [3, 2, 1, 4], [4, 3]):
        assert call(*numbers) == {"success": True}
    assert Event.objects.count() == 4


def test_who_repeats_large_call_after_call_pays_for_one_transaction_each(post, monkeypatch):
    monkeypatch.setattr(ingestion, "MOST_AT_ONCE", 0)

    def call(*numbers):
        batch = [{"type": "track", "userId": "ada", "event": "E", "messageId": f"m{n}"} for n in numbers]
        with capture_logs() as lines:
            assert post("batch", {"batch": batch}).json() == {"success": True}
        return sum(line["event"] == "ingestion_retried" for line in lines)

    assert [call(1, 2), call(1, 2), call(1, 2), call(2, 3), call(4, 5), call(6), call(6)] == [
        0,
        1,
        0,
        0,
        0,
        0,
        1,
    ]
    assert Event.objects.count() == 6


def test_a_key_revoked_elsewhere_takes_no_more_after_a_second(post, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(authentication, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    codes = []
    for seconds in (0, 0.9, 0.2):
        clock[0] += seconds
        codes.append(post("track", {"userId": "ada", "event": "E"}).status_code)
        ApiKey.objects.update(revoked_at=timezone.now())
    assert codes == [200, 200, 401]


def test_letters_that_separate_columns_are_stored_as_they_came(post):
    name, properties = "a\\b\tc\nd", {"path": "C:\\new\\t", "lines": "1\n2\t\r", "quote": '"\\"'}
    message = {"type": "track", "userId": "a\\N", "event": name, "properties": properties}
    batch = [{**message, "messageId": "m\t1"}, {**message, "context": properties, "messageId": "2"}]
    assert post("batch", {"batch": batch}).json() == {"success": True}
    assert [event.name for event in Event.objects.all()] == [name, name]
    assert [event.properties for event in Event.objects.all()] == [properties, properties]
    assert Event.objects.exclude(context={}).get().context == properties
    assert Customer.objects.get().external_id == "a\\N"


def test_what_is_refused_is_told_in_the_callers_language(post):
    batch = {"batch": [{"type": "track", "userId": "ada", "event": "E", "properties": {"n": "x" * 33_000}}]}
    for language, reason in (("zh-hans", "大于 32 kB"), ("fr", "larger than 32 kB")):
        answer = post("batch", batch, **{"Accept-Language": language})
        assert answer.json()["errors"] == [{"index": 0, "reason": reason}]
        assert answer["Content-Language"] == ("zh-hans" if language == "zh-hans" else "en")
    assert post("track", b"{", **{"Accept-Language": "zh-hans"}).json()["detail"] != "The body is not JSON."


def test_nothing_that_only_pages_need_stands_before_a_call(post, monkeypatch):
    def refuse(*given):
        raise AssertionError("a page's middleware was asked")

    monkeypatch.setattr(SessionMiddleware, "process_request", refuse)
    answer = post("track", {"userId": "ada", "event": "E"})
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(answer.content)))
    assert answer["X-Request-Id"]
