"""Segment's own Python client, pointed at a live server of ours."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import segment.analytics as analytics
from django.db import connection
from segment.analytics import request

from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.ingestion import ingest
from personalization.events.messages import read_message
from personalization.events.models import Event

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("compressed", [False, True])
def test_the_official_client_works_unchanged(live_server, compressed):
    _key, token = create_key(name="shop", scopes=["ingest"])
    failures: list[object] = []
    client = analytics.Client(
        token,
        host=live_server.url,
        gzip=compressed,
        max_retries=0,
        on_error=lambda *args: failures.append(args),
    )
    client.track(anonymous_id="cookie", event="Product Viewed", properties={"product_id": "tea"})
    client.identify("ada", {"email": "ada@example.com", "plan": "gold"}, anonymous_id="cookie")
    client.page("ada", name="Home")
    client.screen("ada", name="Start")
    client.group("ada", "club")
    client.alias("old-ada", "ada")
    client.track("ada", "Order Completed", {"total": 12, "products": [{"product_id": "tea", "price": 12}]})
    client.flush()
    client.join()
    # Its HTTP session stays open for good, and with it the server's thread and that thread's connection.
    request._session.close()
    assert failures == []
    ada = Customer.objects.get()
    assert (ada.external_id, ada.email, ada.traits["plan"]) == ("ada", "ada@example.com", "gold")
    assert sorted(ada.events.values_list("name", flat=True)) == [
        "Order Completed", "Order Line", "Page Viewed", "Product Viewed", "Screen Viewed",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_batches_that_meet_in_the_same_new_customers_neither_deadlock_nor_double():
    def batch(number: int) -> list:
        people = [f"u{n}" for n in range(40)]
        people = people if number % 2 else people[::-1]
        bodies = [{"type": "track", "userId": p, "event": "E", "messageId": f"m-{p}"} for p in people]
        bodies += [
            {"type": "identify", "userId": p, "anonymousId": f"a-{p}", "traits": {"n": 1}} for p in people
        ]
        bodies += [{"type": "track", "anonymousId": f"v-{p}", "event": "E", "messageId": "m"} for p in people]
        return [read_message(body, received_at=NOW) for body in bodies]

    def run(number: int) -> dict:
        try:
            return ingest(batch(number), received_at=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(8))) == [{}] * 8
    assert Customer.objects.count() == 80
    assert Event.objects.count() == 80


@pytest.mark.django_db
def test_replaying_a_batch_leaves_the_same_state():
    bodies = [
        {"type": "track", "anonymousId": "c", "event": "E", "messageId": "1"},
        {"type": "identify", "userId": "ada", "anonymousId": "c", "traits": {"x": 1}},
        {"type": "track", "userId": "ada", "event": "E", "timestamp": "2026-01-01T00:00:00Z"},
        {"type": "alias", "userId": "ada", "previousId": "old"},
    ]

    def state() -> tuple:
        return (
            list(Customer.objects.values_list("pk", "external_id", "traits")),
            sorted(Event.objects.values_list("customer_id", "message_key", "occurred_at")),
        )

    ingest([read_message(body, received_at=NOW) for body in bodies], received_at=NOW)
    first = state()
    ingest([read_message(body, received_at=NOW) for body in bodies], received_at=NOW)
    assert state() == first
