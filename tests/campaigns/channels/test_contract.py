"""What every channel over HTTP promises, from launch to the provider's own count."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import channels, selectors
from campaigns.models import Delivery
from campaigns.sending import chunk, handing
from campaigns.sending.journal import Journal, JournalError
from campaigns.transport import breaker
from campaigns.transport.accounts import accounts_of
from personalization.customers.models import Identifier
from personalization.customers.services import record_consent
from tests.campaigns.channels.drafts import DRAFTS

pytestmark = pytest.mark.django_db(transaction=True)
OVER_HTTP = [name for name in channels.names() if name != "email"]
KEYED = {"webhook", "webpush", "mobilepush"}  # the other side tells repetitions


def test_every_channel_has_a_double() -> None:
    assert set(OVER_HTTP) == set(DRAFTS)


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_everyone_gets_one_message_of_their_own(channel, prepare, send_all) -> None:
    service, run, addresses = prepare(channel)
    send_all(run)
    assert selectors.progress(run)["sent"] == 3
    assert sorted(to for to, _text in service.taken) == sorted(addresses)
    assert all(f"Name{i}" in text for i, (_to, text) in enumerate(sorted(service.taken)))


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_a_slow_provider_gets_several_messages_at_a_time(channel, prepare, send_all, monkeypatch) -> None:
    monkeypatch.setattr(handing, "SLOW_SECONDS", 0.0)
    service, run, addresses = prepare(channel, n=40)
    counting, under_way, most = threading.Lock(), 0, 0

    def wait(path: str, number: int) -> str:
        nonlocal under_way, most
        with counting:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)
        with counting:
            under_way -= 1
        return ""

    service.fault = wait
    send_all(run)
    assert selectors.progress(run)["sent"] == 40 and most == 5
    assert sorted(to for to, _text in service.taken) == sorted(addresses)


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_a_provider_that_dies_with_messages_under_way_is_left_alone_once(
    channel, prepare, send_all, monkeypatch
) -> None:
    monkeypatch.setattr(handing, "SLOW_SECONDS", 0.0)
    service, run, _addresses = prepare(channel, n=60)
    service.fault = lambda path, number: 503 if number > 20 else ""
    chunk.send_chunk(run.chunks.get().pk)
    found = selectors.progress(run)
    assert found["sent"] == 20 and found["pending"] == 40
    account = accounts_of(channel)[0]
    assert breaker.state(account.key).openings == 1
    assert Delivery.objects.filter(run=run, attempts__gt=1).count() == 0


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_a_busy_provider_gets_the_message_again_and_not_before_it_wants(channel, prepare, send_all) -> None:
    service, run, _addresses = prepare(channel, n=1)
    service.fault = lambda path, number: 429 if number == 1 else ""
    service.headers = {"Retry-After": "120"}
    send_all(run)
    waiting = Delivery.objects.get(run=run)
    assert waiting.status == "pending" and waiting.attempts == 1 and service.taken == []
    assert waiting.due_at > timezone.now() + timedelta(seconds=100)
    Delivery.objects.update(due_at=None)
    run.chunks.update(due_at=timezone.now())
    send_all(run)
    assert selectors.progress(run)["sent"] == 1 and len(service.taken) == 1


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_a_refused_message_fails_and_the_others_go(channel, prepare, send_all) -> None:
    service, run, _addresses = prepare(channel)
    service.fault = lambda path, number: 400 if number == 2 else ""
    send_all(run)
    found = selectors.progress(run)
    assert found["sent"] == 2 and found["failed"] == 1 and len(service.taken) == 2


@pytest.mark.parametrize("channel", OVER_HTTP)
@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_no_answer_is_unknown_unless_the_provider_tells_repetitions(
    channel, fault, prepare, send_all
) -> None:
    service, run, _addresses = prepare(channel, n=2)
    service.fault = lambda path, number: fault if number == 1 else ""
    send_all(run)
    found = selectors.progress(run)
    assert (found["sent"], found["unknown"]) == ((2, 0) if channel in KEYED else (1, 1))
    assert len(service.taken) == len(set(service.taken)) == 2


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_without_a_journal_the_last_byte_never_goes_out(channel, prepare, monkeypatch) -> None:
    service, run, _addresses = prepare(channel, n=1)

    def full(self: Journal, *args: Any) -> None:
        raise JournalError("disk full")

    monkeypatch.setattr(Journal, "intent", full)
    chunk.send_chunk(run.chunks.get().pk)
    assert selectors.progress(run)["pending"] == 1 and service.taken == [] and service.requests == 0


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_consent_withdrawn_at_the_last_moment_holds(channel, prepare, send_all) -> None:
    service, run, _addresses = prepare(channel, n=1)
    customer = Delivery.objects.get(run=run).customer_id
    record_consent(customer, channel=channel, topic="marketing", granted=False, source="test")
    send_all(run)
    assert selectors.progress(run)["reasons"] == {"no_consent": 1} and service.requests == 0


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "mobilepush"])
def test_a_second_account_stands_in_for_a_dead_one(
    channel, prepare, open_service, make_account, send_all
) -> None:
    dead, run, _addresses = prepare(channel)
    dead.fault = lambda path, number: 503
    second = open_service(channel)
    make_account(second, position=1)
    send_all(run)
    assert selectors.progress(run)["sent"] == 3 and len(second.taken) == 3 and dead.taken == []


def test_a_dead_provider_makes_the_campaign_wait_and_says_so(prepare, send_all) -> None:
    service, run, _addresses = prepare("sms", n=8)
    service.fault = lambda path, number: 503
    send_all(run, rounds=1)
    asked = service.requests
    assert asked == breaker.FAILURES
    send_all(run, rounds=1)
    found = selectors.progress(run)
    assert service.requests == asked and found["pending"] == 8 and "HTTP 503" in found["note"]


def test_a_refused_account_fails_nobody(prepare, send_all) -> None:
    service, run, _addresses = prepare("sms", auth_token="wrong")
    send_all(run, rounds=1)
    found = selectors.progress(run)
    assert found["pending"] == 3 and found["failed"] == 0 and "401" in found["note"] and service.requests == 1


def test_an_app_that_was_removed_is_forgotten(prepare, send_all) -> None:
    service, run, _addresses = prepare("mobilepush", n=1)
    service.fault = lambda path, number: 404
    service.fault_body = {"error": {"status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}}
    send_all(run)
    assert not Identifier.objects.exists() and selectors.progress(run)["reasons"] == {"no_address": 1}
