"""A push goes to all devices of a person, and stays one delivery whatever each device answers."""

import os
import signal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns import selectors
from campaigns.models import Chunk, Delivery, PushSubscription, Touch
from campaigns.models import FrequencyCap as Cap
from campaigns.sending import chunk, journal
from campaigns.sending.journal import Journal, JournalError
from campaigns.why.answers import explain
from personalization.customers.models import Identifier
from personalization.customers.services import record_consent
from tests.campaigns.channels.conftest import subscribe

pytestmark = pytest.mark.django_db(transaction=True)
PUSHES = ["webpush", "mobilepush"]


@pytest.fixture
def prepare_three(prepare: Any) -> Any:
    """One person with three devices: the oldest of `prepare`, then "b", then "c"; answers their addresses."""

    def make(channel: str) -> Any:
        service, run, (oldest,) = prepare(channel, n=1)
        customer = Delivery.objects.get(run=run).customer
        if channel == "webpush":
            return (
                service,
                run,
                [oldest, *(subscribe(service, customer, path) for path in ("/push/b", "/push/c"))],
            )
        tokens = [
            Identifier.objects.create(customer=customer, kind="push_token", value=v) for v in ("b", "c")
        ]
        return service, run, [oldest, *(one.value for one in tokens)]

    return make


def outcomes(run: Any) -> list[str]:
    return [one["outcome"] for one in Delivery.objects.get(run=run).devices or ()]


@pytest.mark.parametrize("channel", PUSHES)
def test_every_device_gets_it_and_it_counts_once(channel, prepare_three, send_all) -> None:
    Cap.objects.create(max_messages=1, window_hours=24)
    service, run, addresses = prepare_three(channel)
    send_all(run)
    assert sorted(to for to, _text in service.taken) == sorted(addresses)
    assert selectors.progress(run)["sent"] == 1 and outcomes(run) == ["sent"] * 3
    assert Touch.objects.count() == 1


def test_a_browser_that_is_gone_is_forgotten_and_the_others_get_it(prepare_three, send_all) -> None:
    service, run, addresses = prepare_three("webpush")
    service.fault = lambda path, number: 410 if path == "/push/c" else ""
    send_all(run)
    assert sorted(to for to, _text in service.taken) == sorted(addresses[:2])
    assert outcomes(run) == ["gone", "sent", "sent"] and PushSubscription.objects.count() == 2


def test_apps_that_were_removed_everywhere_leave_no_address(prepare_three, send_all) -> None:
    service, run, _addresses = prepare_three("mobilepush")
    service.fault = lambda path, number: 404
    service.fault_body = {"error": {"status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}}
    send_all(run)
    assert not Identifier.objects.exists() and selectors.progress(run)["reasons"] == {"no_address": 1}
    assert outcomes(run) == ["gone"] * 3 and service.requests == 3


@pytest.mark.parametrize("fault", [429, "drop"])
def test_a_busy_device_is_tried_once_more_when_another_took_it(fault, prepare_three, send_all) -> None:
    service, run, addresses = prepare_three("webpush")
    service.fault = lambda path, number: fault if number == 1 else ""
    send_all(run)
    assert sorted(to for to, _text in service.taken) == sorted(addresses)
    assert outcomes(run) == ["later", "sent", "sent", "sent"] and selectors.progress(run)["sent"] == 1


def test_a_service_that_asks_us_to_wait_is_not_asked_again(prepare_three, send_all) -> None:
    service, run, _addresses = prepare_three("webpush")
    service.fault = lambda path, number: 429 if path == "/push/c" else ""
    service.headers = {"Retry-After": "60"}
    send_all(run)
    assert outcomes(run) == ["later", "sent", "sent"] and service.requests == 3


def test_when_all_are_busy_the_message_waits(prepare_three, send_all) -> None:
    service, run, _addresses = prepare_three("mobilepush")
    service.fault = lambda path, number: 429 if number <= 3 else ""
    send_all(run, rounds=1)
    assert selectors.progress(run)["pending"] == 1 and service.taken == []
    run.chunks.update(due_at=timezone.now())
    send_all(run)
    assert len(service.taken) == 3 and outcomes(run) == ["later"] * 3 + ["sent"] * 3


@pytest.mark.parametrize(
    "answered, status, taken", [(0, "unknown", 0), (1, "sent", 1), (2, "sent", 2)], ids=["none", "one", "two"]
)
def test_a_takeover_knows_what_the_killed_worker_reached(
    answered, status, taken, prepare_three, send_all, monkeypatch
) -> None:
    """Killed with a device's intent written and its last byte not sent."""
    service, run, _addresses = prepare_three("webpush")
    pid = os.fork()
    if pid == 0:
        from django.db import connections

        for connection in connections.all():
            connection.connection = None
        write, left = Journal.intent, [answered]

        def die(self: Journal, *args: Any) -> None:
            write(self, *args)
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

        monkeypatch.setattr(Journal, "intent", die)
        chunk.send_chunk(run.chunks.get().pk)
        os._exit(0)
    os.waitpid(pid, 0)
    assert len(service.taken) == taken
    Chunk.objects.update(lease_until=timezone.now())
    send_all(run)
    assert len(service.taken) == taken and Delivery.objects.get(run=run).status == status
    assert outcomes(run) == ["sent"] * taken


def test_a_worker_killed_after_all_said_no_leaves_the_message_to_the_next(
    prepare_three, send_all, settings
) -> None:
    service, run, _addresses = prepare_three("mobilepush")
    row = Delivery.objects.get(run=run)
    mine = journal.identity(settings.JOURNAL_DIR)
    pages = Journal.open(settings.JOURNAL_DIR, row.chunk_id)
    pages.intent(row.pk, 0, 1.0)
    pages.device(row.pk, 0, {"device": "app 00000000", "outcome": "later", "answer": "HTTP 429", "at": 1.0})
    pages.close()
    Chunk.objects.update(status="claimed", lease_owner=f"{mine}/x", lease_until=timezone.now())
    send_all(run)
    assert len(service.taken) == 3 and selectors.progress(run)["sent"] == 1


def test_a_disk_that_fills_between_two_devices_ends_the_round_and_keeps_what_is_known(
    prepare_three, send_all, monkeypatch
) -> None:
    service, run, _addresses = prepare_three("webpush")
    write = Journal.intent

    def fill(self: Journal, *args: Any) -> None:
        if service.taken:
            raise JournalError("the journal's disk is full")
        write(self, *args)

    monkeypatch.setattr(Journal, "intent", fill)
    send_all(run)
    assert len(service.taken) == 1 and selectors.progress(run)["sent"] == 1
    assert outcomes(run) == ["sent", "not_tried", "not_tried"]


def test_consent_withdrawn_between_two_devices_holds(prepare_three, send_all, monkeypatch) -> None:
    service, run, _addresses = prepare_three("webpush")
    customer = Delivery.objects.get(run=run).customer_id
    monkeypatch.setattr("campaigns.sending.gate.FRESH_SECONDS", 0.0)
    took = service.take_webpush

    def withdraw(*args: Any) -> Any:
        record_consent(customer, channel="webpush", topic="marketing", granted=False, source="test")
        return took(*args)

    monkeypatch.setattr(service, "take_webpush", withdraw)
    send_all(run)
    assert len(service.taken) == 1 and outcomes(run) == ["sent", "not_tried", "not_tried"]


def test_the_why_screen_names_devices_without_their_addresses(prepare_three, send_all, admin_client) -> None:
    service, run, _addresses = prepare_three("webpush")
    service.fault = lambda path, number: 410 if path == "/push/c" else ""
    send_all(run)
    row = Delivery.objects.get(run=run)
    found = {one.step: one for one in explain(run, row.customer, row)}["devices"]
    assert found.sentence == "2 of the person's 3 devices took it." and found.verdict == "passed"
    assert [one["words"] for one in found.facts["devices"]] == ["gone; forgotten", "taken", "taken"]
    page = admin_client.get(
        reverse("campaigns:why", args=[run.campaign_id, run.number]), {"customer": row.customer_id}
    )
    assert "gone; forgotten" in page.content.decode() and "/push/" not in page.content.decode()
