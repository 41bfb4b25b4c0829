"""The one statement for events of known customers."""

from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from personalization.catalog.models import Item
from personalization.customers.models import Customer
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
