"""Several messages under way at a time: all that holds for one after the other holds here."""

import multiprocessing
import os
import signal
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from campaigns import ledger, services
from campaigns.models import Chunk, Delivery
from campaigns.sending import chunk, gate, handing, lanes
from campaigns.transport import breaker, mail
from personalization.customers.services import record_consent
from tests.campaigns.test_sending import counts

pytestmark = pytest.mark.django_db(transaction=True)
fork = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def always_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """After three messages to whatever server."""
    monkeypatch.setattr(handing, "SLOW_SECONDS", 0.0)


def pause(sink: Any, seconds: float = 0.02) -> None:
    sink.on_data = lambda recipient: time.sleep(seconds)


def test_a_slow_server_gets_several_messages_at_a_time_and_everybody_one(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    pause(sink)
    make_customers(60)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 60 and max(sink.recipients.values()) == 1
    assert sink.most_open == 1 + 5


def test_connections_are_kept_for_the_next_chunk(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(40)
    for _ in range(3):
        send_all(services.launch(make_campaign(), actor="test"))
    assert len(sink.accepted) == 120 and sink.connections == 1 + 5


def test_a_connection_that_opens_slowly_holds_up_nobody(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "END_SECONDS", 0.05)
    check, once, opens = mail._Beside.check, threading.Lock(), threading.Event()

    def slowly(self: Any) -> None:
        if once.acquire(blocking=False):
            opens.wait(10)
        check(self)

    monkeypatch.setattr(mail._Beside, "check", slowly)
    make_customers(40)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 40 and not opens.is_set()
    opens.set()
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 40 and len(sink.accepted) == 80


def test_one_connection_can_be_asked_for(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, settings: Any
) -> None:
    settings.SEND_CONNECTIONS = 1
    make_customers(20)
    send_all(services.launch(make_campaign(), actor="test"))
    assert len(sink.accepted) == 20 and sink.most_open == 1


def test_a_quick_server_gets_one_message_after_the_other(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "SLOW_SECONDS", 60.0)
    make_customers(20)
    send_all(services.launch(make_campaign(), actor="test"))
    assert len(sink.accepted) == 20 and sink.connections == 1


def test_a_server_that_allows_few_connections_is_no_dead_server(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    pause(sink, 0.005)
    sink.most_allowed = 3
    make_customers(60)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 60 and max(sink.recipients.values()) == 1
    assert breaker.state(mail.default_key()).failures == 0


def test_a_server_that_allows_one_connection_gets_everything_over_that(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    sink.most_allowed = 1
    make_customers(30)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 30 and max(sink.recipients.values()) == 1


@pytest.mark.parametrize("fault", ["4xx", "5xx", "421", "drop", "gone", "hang", "norcpt"])
def test_what_befalls_one_message_does_not_touch_those_beside_it(
    fault: str, sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    make_customers(40)
    fails = {"c11@example.com", "c23@example.com"}
    tried: list[str] = []

    def befalls(recipient: str, number: int) -> str:
        if recipient not in fails or (number < 0 and fault != "norcpt"):
            return ""
        tried.append(recipient)
        is_over = fault in ("4xx", "421") and tried.count(recipient) > 1
        return "" if is_over else fault

    sink.fault = befalls
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    ends = {"4xx": "sent", "421": "sent", "5xx": "failed", "norcpt": "failed"}
    states = dict(Delivery.objects.filter(run=run).values_list("customer__email", "status"))
    assert {states.pop(address) for address in fails} == {ends.get(fault, "unknown")}
    assert set(states.values()) == {"sent"} and max(sink.recipients.values()) == 1


def test_who_withdraws_while_messages_are_under_way_gets_nothing_more(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "FRESH_SECONDS", 0.0)
    people = make_customers(40)
    run = services.launch(make_campaign(), actor="test")
    once = threading.Lock()

    def withdraw(recipient: str) -> None:
        if recipient == "c20@example.com" and once.acquire(blocking=False):
            record_consent(people[39].pk, channel="email", topic="marketing", granted=False, source="test")
            connection.close()

    sink.on_data = withdraw
    send_all(run)
    assert counts(run)["reasons"] == {"no_consent": 1} and counts(run)["sent"] == 39
    assert "c39@example.com" not in sink.recipients


def test_a_pause_ends_what_is_under_way_and_nothing_else(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "FRESH_SECONDS", 0.0)
    make_customers(200)
    run = services.launch(make_campaign(), actor="test")
    once = threading.Lock()

    def stop(recipient: str) -> None:
        if len(sink.accepted) >= 30 and once.acquire(blocking=False):
            services.pause(run, actor="test")
            connection.close()

    sink.on_data = stop
    chunk.send_chunk(run.chunks.get().pk)
    assert 30 <= len(sink.accepted) <= 30 + 2 * 5
    assert counts(run)["sent"] == len(sink.accepted) and counts(run)["unknown"] == 0
    services.resume(run, actor="test")
    send_all(run)
    assert counts(run)["sent"] == 200 and max(sink.recipients.values()) == 1


def test_a_rate_holds_over_all_lanes(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    pause(sink, 0.01)
    make_customers(60)
    run = services.launch(make_campaign(timing={"per_second": 40}), actor="test")
    began = time.monotonic()
    chunk.send_chunk(run.chunks.get().pk)
    assert len(sink.accepted) <= 40 * (time.monotonic() - began) + 40
    assert counts(run)["sent"] == len(sink.accepted) and max(sink.recipients.values()) == 1


def test_an_interrupted_worker_sends_no_dot_afterwards(
    sink: Any, make_customers: Any, make_campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by the time limit of a task, which is raised wherever the worker waits."""
    pause(sink, 0.05)
    monkeypatch.setattr(lanes, "END_SECONDS", 0.01)
    make_customers(100)
    run = services.launch(make_campaign(), actor="test")
    serve, times = lanes.Lanes._give, iter(range(30))

    def interrupted(self: lanes.Lanes) -> bool:
        if next(times, None) is None:
            raise KeyboardInterrupt
        return serve(self)

    monkeypatch.setattr(lanes.Lanes, "_give", interrupted)
    with pytest.raises(KeyboardInterrupt):
        chunk.send_chunk(run.chunks.get().pk)
    monkeypatch.undo()
    time.sleep(0.3)
    taken = set(sink.recipients)
    later = timezone.now() + ledger.LEASE + timedelta(seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    chunk.send_chunk(run.chunks.get().pk)
    assert max(sink.recipients.values()) == 1 and taken
    assert counts(run)["unknown"] <= 5
    assert counts(run)["sent"] + counts(run)["unknown"] == 100


def _work(run_id: int) -> None:
    while Chunk.objects.filter(run_id=run_id).exclude(status="done").exists():
        for pk in Chunk.objects.filter(ledger.open_chunks(timezone.now()), run_id=run_id).values_list(
            "pk", flat=True
        )[:1]:
            chunk.send_chunk(pk)
        time.sleep(0.01)


def test_a_worker_killed_with_messages_under_way_loses_and_doubles_nobody(
    sink: Any, make_customers: Any, make_campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LEASE", timedelta(seconds=1))
    pause(sink, 0.005)
    make_customers(600)
    run = services.launch(make_campaign(), actor="test")
    kills = 0
    while True:
        connections.close_all()
        worker = fork.Process(target=_work, args=(run.pk,), daemon=True)
        worker.start()
        mark = len(sink.accepted) + 100
        while worker.is_alive() and len(sink.accepted) < mark:
            time.sleep(0.002)
        if not worker.is_alive():
            break
        os.kill(worker.pid or 0, signal.SIGKILL)
        worker.join()
        kills += 1
    found = counts(run)
    states = dict(Delivery.objects.filter(run=run).values_list("customer__email", "status"))
    assert kills >= 3 and max(sink.recipients.values()) == 1
    assert found["unknown"] <= 5 * kills and found["sent"] + found["unknown"] == 600
    assert {address for address, state in states.items() if state == "sent"} <= set(sink.recipients)
