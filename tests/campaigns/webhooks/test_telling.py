"""Events told to others: signed, retried, and never into our own network."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from campaigns.models import Telling, WebhookEndpoint
from campaigns.webhooks import services, telling
from personalization.access.models import User
from personalization.events.models import Event
from personalization.events.services import NewEvent, record_events
from tests.campaigns.webhooks.conftest import happen, tell

pytestmark = pytest.mark.django_db


def test_an_event_is_told_once_and_signed(receiver, endpoint, make_customers) -> None:
    (customer,) = make_customers(1)
    happen(customer)
    tell(endpoint)
    tell(endpoint)
    ((headers, body),) = receiver.bodies
    data = Webhook(endpoint.secret).verify(body, headers)
    assert data["type"] == "message.clicked" and data["data"]["customer"] == "c0"
    assert Telling.objects.get().status == "sent"


def test_an_event_whose_transaction_ended_late_is_not_lost(receiver, endpoint, make_customers) -> None:
    (customer,) = make_customers(1)
    WebhookEndpoint.objects.update(created_at=timezone.now() - timedelta(hours=1))
    tell(endpoint)
    record_events(
        [NewEvent(customer.pk, "late", "Page Viewed", timezone.now())],
        received_at=timezone.now() - timedelta(seconds=50),
    )
    tell(endpoint)
    assert len(receiver.bodies) == 1


def test_only_the_events_asked_for_are_told(receiver, make_customers) -> None:
    (customer,) = make_customers(1)
    one = services.save_endpoint(None, name="x", url=receiver.url, events=["Order Completed"], actor="test")
    happen(customer)
    happen(customer, "Order Completed", "m2")
    tell(one)
    assert [row.event for row in Telling.objects.all()] == ["Order Completed"]


def test_a_refusal_is_tried_again_later_and_later(receiver, endpoint, make_customers) -> None:
    (customer,) = make_customers(1)
    happen(customer)
    receiver.fault = lambda path, number: 500
    telling.collect(endpoint, now=timezone.now() + timedelta(seconds=1))
    for attempt, seconds in enumerate(telling.PAUSES[:3], start=1):
        Telling.objects.update(due_at=timezone.now())
        before = timezone.now()
        telling.tell_due(endpoint.pk)
        row = Telling.objects.get()
        assert row.attempts == attempt and row.status == "waiting"
        assert 0.79 * seconds <= (row.due_at - before).total_seconds() <= 1.21 * seconds + 5
    Telling.objects.update(attempts=len(telling.PAUSES), due_at=timezone.now())
    telling.tell_due(endpoint.pk)
    assert Telling.objects.get().status == "failed"
    receiver.fault = lambda path, number: ""
    assert services.tell_again(endpoint, actor="test") == 1
    telling.tell_due(endpoint.pk)
    assert Telling.objects.get().status == "sent"


def test_a_slow_receiver_is_called_only_while_the_rows_are_ours(
    receiver, endpoint, make_customers, monkeypatch
) -> None:
    """Whoever went on would tell what another worker has claimed meanwhile."""
    (customer,) = make_customers(1)
    for number in range(3):
        happen(customer, message_id=f"m{number}")
    clock, take = [0.0], receiver.take_webhook

    def take_slowly(path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        clock[0] += 30
        return take(path, headers, body)

    receiver.take_webhook = take_slowly
    monkeypatch.setattr(telling, "monotonic", lambda: clock[0])
    tell(endpoint)
    assert len(receiver.bodies) == 2
    assert sorted(Telling.objects.values_list("status", flat=True)) == ["sent", "sent", "waiting"]


def test_gone_ends_the_endpoint(receiver, endpoint, make_customers) -> None:
    (customer,) = make_customers(1)
    happen(customer)
    receiver.fault = lambda path, number: 410
    tell(endpoint)
    endpoint.refresh_from_db()
    assert not endpoint.is_active and "410" in endpoint.problem


def test_after_a_rotation_both_secrets_verify_for_a_day(receiver, endpoint, make_customers) -> None:
    old, new = endpoint.secret, services.rotate_secret(endpoint, actor="test")
    (customer,) = make_customers(1)
    happen(customer)
    tell(endpoint)
    headers, body = receiver.bodies[0]
    assert Webhook(old).verify(body, headers) == Webhook(new).verify(body, headers)


def test_what_was_erased_is_not_told(receiver, endpoint, make_customers) -> None:
    (customer,) = make_customers(1)
    happen(customer)
    telling.collect(endpoint, now=timezone.now() + timedelta(seconds=1))
    Event.objects.all().delete()
    Telling.objects.update(due_at=timezone.now())
    telling.tell_due(endpoint.pk)
    assert receiver.bodies == [] and not Telling.objects.exists()


def test_a_name_that_leads_home_is_not_called(endpoint, make_customers, settings) -> None:
    (customer,) = make_customers(1)
    WebhookEndpoint.objects.update(url="https://localhost/")
    settings.OUTBOUND_ALLOWED_HOSTS = []
    happen(customer)
    tell(endpoint)
    endpoint.refresh_from_db()
    assert not endpoint.is_active and "not public" in endpoint.problem


def test_an_endpoint_made_by_hand_is_told_what_was_chosen(receiver, make_customers) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    assert 'rows="3" ></textarea>' in client.get("/app/webhooks/new").content.decode()
    form = {"name": "CRM", "url": f"{receiver.url}/in", "is_active": "1"}
    client.post("/app/webhooks/new", {**form, "events": ""})
    everything = WebhookEndpoint.objects.get()
    assert everything.events == []
    chosen = ["Message Clicked", "Order Completed"]
    client.post(f"/app/webhooks/{everything.pk}", {**form, "events": "\r\n".join(chosen)})
    everything.refresh_from_db()
    assert everything.events == chosen
    page = client.get(f"/app/webhooks/{everything.pk}").content.decode()
    assert 'rows="3" >Message Clicked\nOrder Completed</textarea>' in page
