"""An installation that sends nothing: the work is done, the wire stays silent, and everybody is told."""

from typing import Any

import pytest
from django.test import Client

from campaigns import services
from campaigns.models import Delivery, DeliveryStatus
from campaigns.transport.http import Call, HttpLine
from personalization.access.models import User
from personalization.config import checkup
from personalization.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def sandbox(settings: Any) -> None:
    settings.SANDBOX = True


def test_a_campaign_runs_to_its_end_and_no_server_hears_of_it(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(20)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert sink.connections == 0
    rows = Delivery.objects.filter(run=run)
    assert set(rows.values_list("status", "detail")) == {(DeliveryStatus.SENT, "sandbox: nothing was sent")}
    assert Event.objects.filter(name="Message Sent").count() == 20


def test_no_webhook_is_called() -> None:
    # The port of “discard”: a connection would be refused.
    reply = HttpLine(timeout=1).exchange(Call("https://192.0.2.1:9/", b"{}"), intent=lambda: None)
    assert (reply.status, reply.body) == (200, b"sandbox: nothing was sent")


def test_pages_answers_and_the_doctor_say_so() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    answer = client.get("/admin/")
    assert "Sandbox: nothing is sent" in answer.content.decode()
    assert answer["Bespoke-Sandbox"] == "1"
    assert client.get("/api/v1/segments")["Bespoke-Sandbox"] == "1"
    assert checkup._sending()[1] == "SANDBOX is on: nothing is sent."


def test_elsewhere_nothing_of_it_is_seen(settings: Any) -> None:
    settings.SANDBOX = False
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    answer = client.get("/admin/")
    assert "Sandbox" not in answer.content.decode()
    assert "Bespoke-Sandbox" not in answer
