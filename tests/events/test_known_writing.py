"""The one statement for events of known customers."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events import ingestion
from personalization.events.combining import Combiner
from personalization.events.known_writing import Received, write_known
from personalization.events.messages import read_message
from personalization.events.models import Event

pytestmark = pytest.mark.django_db
ODD = 'NULL, {a} "b" \\ c\td\n é 茶'


def track(user: str, number: str, **more):
    return {"type": "track", "userId": user, "event": "E", "messageId": number, **more}


def test_odd_texts_are_kept_to_the_letter(post):
    post("identify", {"userId": ODD})
    customer = Customer.objects.get()
    item = Item.objects.create(external_id="NULL")
    Item.objects.create(external_id="null")
    properties = {"product_id": "NULL", "price": 4.505, "note": ODD}
    message = track(ODD, ODD, properties=properties, context={"page": {"title": ODD}}) | {"event": ODD}
    assert post("batch", {"batch": [message]}).json() == {"success": True}
    event = Event.objects.get()
    assert (event.customer_id, event.item_id, event.name) == (customer.pk, item.pk, ODD)
    assert (event.value, event.properties) == (Decimal("4.50"), properties)
    assert event.context == {"page": {"title": ODD}}


def test_known_and_new_customers_of_one_call_are_both_written(post):
    post("identify", {"userId": "ada"})
    batch = {"batch": [track("ada", "1"), track("bob", "2"), track("ada", "3")]}
    with capture_logs() as lines:
        for _ in range(2):
            assert post("batch", batch).json() == {"success": True}
    assert [line for line in lines if line["event"] == "ingestion_retried"] == []
    found = Event.objects.values_list("customer__external_id").order_by("customer__external_id")
    assert [name for (name,) in found] == ["ada", "ada", "bob"]


def test_of_two_messages_with_one_id_the_first_stays(post):
    post("identify", {"userId": "ada"})
    batch = [track("ada", "1", properties={"n": n}) for n in range(3)]
    assert post("batch", {"batch": batch}).json() == {"success": True}
    assert Event.objects.get().properties == {"n": 0}


def test_contexts_go_to_their_own_events(post):
    post("identify", {"userId": "ada"})
    batch = [track("ada", str(n), context={"locale": f"l{n % 2}"}, properties={"n": n}) for n in range(4)]
    post("batch", {"batch": batch})
    found = {event.properties["n"]: event.context["locale"] for event in Event.objects.all()}
    assert found == {0: "l0", 1: "l1", 2: "l0", 3: "l1"}


def received(*messages: dict, at: datetime) -> Received:
    return Received(at, [read_message(message, received_at=at) for message in messages])


def test_calls_written_together_keep_their_own_time_and_store_a_message_once(post):
    post("identify", {"userId": "ada"})
    at = [datetime(2026, 3, 1, 12, 0, 0, n, tzinfo=UTC) for n in (1, 2)]
    calls = [
        received(track("ada", "1"), track("ada", "2"), at=at[0]),
        received(track("ada", "2"), track("bob", "3"), at=at[1]),
        received(track("ada", "4", timestamp="1969-12-31T23:59:59.999999Z"), at=at[1]),
    ]
    assert write_known(calls) == {"bob"}
    found = Event.objects.order_by("received_at", "-occurred_at").values_list("received_at", "occurred_at")
    before = datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert list(found) == [(at[0], at[0]), (at[0], at[0]), (at[1], before)]


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_customer_whom_another_is_about_to_erase():
    for name in ("ada", "bob"):
        Customer.objects.create(external_id=name, created_at=timezone.now())
    calls = [received(track(name, "1"), at=datetime(2026, 3, 1, tzinfo=UTC)) for name in ("ada", "bob")]
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Customer.objects.select_for_update().get(external_id="ada")
        assert pool.submit(in_thread, write_unwaiting, calls).result() == {"ada"}
    assert Event.objects.get().customer.external_id == "bob"


def write_unwaiting(calls):
    """Fails where a lock is waited for, however slow the machine is."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    return write_known(calls)


def in_thread(work, *given):
    try:
        return work(*given)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_moment_end_as_one_after_the_other(monkeypatch):
    """Known and new customers, repeated and unreadable messages, from many threads in any order."""
    chance = random.Random(11)
    token = create_key(name="shop", scopes=["ingest"])[1]
    sizes: list[int] = []

    def write(calls):
        sizes.append(len(calls))
        return write_known(calls)

    monkeypatch.setattr(ingestion, "_combiner", Combiner(write, places=1, most=4))

    def message(number: int) -> dict:
        if number % 10 == 9:
            return {"type": "track", "messageId": f"m{number}", "userId": f"c{number}", "event": ""}
        return track(f"c{number % 12}", f"m{number}", properties={"n": number})

    calls = [[message(chance.randrange(120)) for _ in range(chance.randrange(1, 6))] for _ in range(120)]

    def send(call):
        answer = Client().post(
            "/v1/batch", {"batch": call}, "application/json", headers={"Authorization": f"Bearer {token}"}
        )
        return answer.status_code, [error["index"] for error in answer.json().get("errors", [])]

    def run(threads: int):
        Event.objects.all().delete()
        Customer.objects.all().delete()
        Customer.objects.bulk_create(
            Customer(external_id=f"c{n}", created_at=timezone.now()) for n in range(6)
        )
        if threads == 1:
            answers = [send(call) for call in calls]
        else:
            with ThreadPoolExecutor(threads) as pool:
                answers = list(pool.map(send, calls))
                barrier = threading.Barrier(threads)
                list(pool.map(lambda _: (connection.close(), barrier.wait(20)), range(threads)))
        rows = Event.objects.values_list("customer__external_id", "message_key", "name", "properties__n")
        return answers, sorted(rows)

    alone, together = run(1), run(8)
    assert alone == together
    assert {status for status, _ in alone[0]} == {200}
    assert len(alone[1]) == len({m["messageId"] for call in calls for m in call if m["event"]})
    assert max(sizes) > 1
