"""Rates of runs, senders and recipient domains, on real engines: exact, and nobody lost or doubled."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.utils import timezone

from campaigns import ledger, services
from campaigns.errors import InvalidCampaign, InvalidState
from campaigns.launching import audience
from campaigns.ledger import Claim
from campaigns.models import Chunk, Delivery
from campaigns.pacing.spreading import spread_out
from campaigns.senders import accounts
from campaigns.sending import chunk, throttle
from personalization.access.models import AuditEntry
from tests.campaigns.test_sending import counts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hasty(monkeypatch: Any) -> None:
    """Gives back soon, so that a test sees it without waiting."""
    monkeypatch.setattr(throttle, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(throttle, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(throttle, "NAP_SECONDS", 0.02)


def make_due(run: Any) -> None:
    """As if the time had come that chunks and deliveries wait for."""
    now = timezone.now()
    Chunk.objects.filter(run=run).update(due_at=now)
    Delivery.objects.filter(run=run, due_at__gt=now).update(due_at=now)


def send_until_done(run: Any, *, seconds: float = 8.0) -> None:
    """What the tick does, without its two seconds."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and counts(run)["pending"]:
        for one in Chunk.objects.filter(ledger.open_chunks(timezone.now()), run=run):
            chunk.send_chunk(one.pk)
        make_due(run)
        time.sleep(0.01)


def test_a_chunk_that_has_to_wait_gives_its_rest_back(sink, make_customers, make_campaign, hasty) -> None:
    make_customers(40)
    run = services.launch(make_campaign(timing={"per_second": 5}), actor="test")
    assert run.per_second == 5
    began = time.monotonic()
    chunk.send_chunk(run.chunks.get().pk)
    assert len(sink.accepted) <= 5 * (time.monotonic() - began) + 5
    left = run.chunks.get()
    assert left.status == "free" and left.lease_owner == ""
    assert counts(run)["pending"] == 40 - len(sink.accepted)
    services.change_rate(run, per_second=200, actor="test")
    send_until_done(run)
    assert counts(run)["sent"] == 40 and max(sink.recipients.values()) == 1


def test_redis_flushed_again_and_again_loses_doubles_and_hurries_nobody(
    sink, make_customers, make_campaign, hasty, settings
) -> None:
    make_customers(60)
    run = services.launch(make_campaign(timing={"per_second": 60}), actor="test")
    client = redis.Redis.from_url(settings.REDIS_URL)
    sink.on_data = lambda recipient: client.flushdb() if len(sink.accepted) % 9 == 4 else None
    began = time.monotonic()
    send_until_done(run)
    passed = time.monotonic() - began
    assert counts(run)["sent"] == len(sink.accepted) == 60 and max(sink.recipients.values()) == 1
    assert passed >= 0.9  # every flush empties the bucket: no burst was ever to be had


def test_two_workers_share_the_rate(sink, make_customers, make_campaign, hasty, monkeypatch) -> None:
    monkeypatch.setattr(audience, "CHUNK_SIZE", 20)
    make_customers(40)
    run = services.launch(make_campaign(timing={"per_second": 12}), actor="test")
    began = time.monotonic()
    both = threading.Barrier(2)

    def worker(pk: int) -> None:
        both.wait()
        for _ in range(3):
            Chunk.objects.filter(pk=pk, status="free").update(due_at=timezone.now())
            chunk.send_chunk(pk)
        chunk.close_sessions()
        connection.close()

    threads = [threading.Thread(target=worker, args=(one.pk,)) for one in run.chunks.all()]
    assert len(threads) == 2
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.monotonic() - began
    # What the bucket holds at first, and what has flowed into it since, however long that took.
    assert 0 < len(sink.accepted) <= 12 * passed + 12
    found = counts(run)
    assert found["sent"] == len(sink.accepted) and found["sent"] + found["pending"] == 40
    assert max(sink.recipients.values()) == 1


def account_with(sink: Any, **pace: Any) -> Any:
    return accounts.save_account(
        None, channel="email", name="Main", values={"smtp_url": sink.url}, pace=pace, actor="test"
    )


def test_a_senders_rate_holds_for_all_its_runs_together(sink, make_customers, make_campaign, hasty) -> None:
    account_with(sink, per_second=30)
    make_customers(40)
    runs = [services.launch(make_campaign(), actor="test") for _ in range(2)]
    began = time.monotonic()
    while len(sink.accepted) < 45:
        for run in runs:
            make_due(run)
            chunk.send_chunk(run.chunks.get().pk)
    passed = time.monotonic() - began
    assert 45 <= len(sink.accepted) <= 30 * passed + 30
    assert sum(counts(run)["sent"] for run in runs) == len(sink.accepted)


def test_a_slow_domain_holds_up_only_its_own_recipients(
    sink, make_customers, make_campaign, send_all
) -> None:
    account_with(sink, domains={"slow.example": 0.01})
    people = make_customers(30)
    for person in people[:10]:
        person.email = f"{person.external_id}@Slow.example"
        person.save()
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    found = counts(run)
    assert found["sent"] == 20 == len(sink.accepted) and found["waiting"] == {"rate": 10}
    assert not any(recipient.lower().endswith("slow.example") for recipient in sink.recipients)
    due = sorted(run.deliveries.filter(status="pending").values_list("due_at", flat=True))
    # One in a hundred seconds: the tenth has its turn a thousand seconds from now.
    assert timedelta(seconds=890) < due[-1] - due[0] < timedelta(seconds=910)
    assert run.chunks.get().due_at == due[0]


def test_the_rate_is_changed_while_it_goes_out_and_everybody_gets_one(
    sink, make_customers, make_campaign, hasty
) -> None:
    make_customers(120)
    run = services.launch(make_campaign(timing={"per_second": 0.01}), actor="test")
    chunk.send_chunk(run.chunks.get().pk)
    # A token is a hundred seconds away, but the rate may change: nobody sleeps that long.
    assert not sink.accepted and run.chunks.get().due_at < timezone.now() + timedelta(seconds=11)
    services.change_rate(run, per_second=40, actor="anna")

    def faster(recipient: str) -> None:
        if len(sink.accepted) == 10:
            thread = threading.Thread(target=lift)
            thread.start()
            thread.join()

    def lift() -> None:
        services.change_rate(run, per_second=None, actor="anna")
        connection.close()

    sink.on_data = faster
    send_until_done(run)
    assert counts(run)["sent"] == 120 and max(sink.recipients.values()) == 1
    entries = AuditEntry.objects.filter(action="run.rate_changed").order_by("pk")
    assert [entry.detail for entry in entries] == [
        {"before": 0.01, "per_second": 40.0}, {"before": 40.0, "per_second": None},
    ]  # fmt: skip
    ledger.finish_runs(now=timezone.now())
    with pytest.raises(InvalidState):
        services.change_rate(run, per_second=5, actor="anna")


def test_a_paused_run_takes_no_tokens_and_goes_on_where_it_was(
    sink, make_customers, make_campaign, hasty
) -> None:
    make_customers(30)
    run = services.launch(make_campaign(timing={"per_second": 15}), actor="test")
    send_until_done(run, seconds=0.3)
    services.pause(run, actor="test")
    sent = len(sink.accepted)
    services.change_rate(run, per_second=300, actor="test")
    make_due(run)
    chunk.send_chunk(run.chunks.get().pk)
    assert len(sink.accepted) == sent < 30
    services.resume(run, actor="test")
    send_until_done(run)
    assert counts(run)["sent"] == 30 and max(sink.recipients.values()) == 1


def test_waiting_chunks_stand_in_line(make_customers, make_campaign) -> None:
    make_customers(2000)
    run = services.launch(make_campaign(), actor="test")
    ids = list(run.chunks.order_by("number").values_list("pk", flat=True))
    again_at = spread_out(Claim(ids[0], run.pk, "me", ""), 0.5, per_second=250)
    due = [run.chunks.get(pk=pk).due_at for pk in ids[1:]]
    assert [at - again_at for at in due] == [timedelta(seconds=2 * n) for n in (1, 2, 3)]


@pytest.mark.parametrize("wrong", ["fast", "0", "-1", "nan", "1e9"])
def test_what_is_no_rate_is_refused_and_changes_nothing(make_customers, make_campaign, wrong) -> None:
    make_customers(1)
    run = services.launch(make_campaign(timing={"per_second": 7}), actor="test")
    with pytest.raises(InvalidCampaign):
        services.change_rate(run, per_second=wrong, actor="test")
    with pytest.raises(InvalidCampaign):
        make_campaign(timing={"per_second": wrong})
    run.refresh_from_db()
    assert run.per_second == 7
