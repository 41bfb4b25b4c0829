"""What happens when a journal cannot be written or read, and when a worker dies."""

import os
import resource
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from campaigns import ledger, selectors, services
from campaigns.models import Chunk, Delivery, RunStatus
from campaigns.sending import chunk
from tests.campaigns.test_sending import counts

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_full_journal_disk_stops_before_the_dot_and_loses_nobody(
    sink, make_customers, make_campaign, send_all, settings
) -> None:
    make_customers(300)
    run = services.launch(make_campaign(), actor="test")
    pid = os.fork()
    if pid == 0:
        from django.db import connections

        for connection in connections.all():
            connection.connection = None
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            chunk.send_chunk(run.chunks.get().pk)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    found = counts(run)
    assert 0 < found["sent"] < 300 and found["pending"] == 300 - found["sent"] - found["unknown"]
    assert found["sent"] + found["unknown"] == len(sink.accepted)
    Chunk.objects.update(due_at=timezone.now())
    send_all(run)
    assert set(sink.recipients.values()) == {1} and len(sink.accepted) == 300 == counts(run)["sent"]


def test_a_chunk_is_held_by_one_worker_only(sink, make_customers, make_campaign) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    pk = run.chunks.get().pk
    assert ledger.claim(pk, owner="j/b/1", journal="j/b") is not None
    assert ledger.claim(pk, owner="j/b/2", journal="j/b") is None
    later = timezone.now() + timedelta(seconds=60)
    assert ledger.claim(pk, owner="other/b/3", journal="other/b", now=later) is None
    taken = ledger.claim(pk, owner="j/b/2", journal="j/b", now=later)
    assert taken is not None and taken.previous_owner == "j/b/1"


def test_a_journal_that_cannot_be_read_makes_the_chunk_unknown(
    sink, make_customers, make_campaign, send_all
) -> None:
    make_customers(3)
    run = services.launch(make_campaign(), actor="test")
    ledger.claim(run.chunks.get().pk, owner="gone/boot/1", journal="gone/boot")
    Chunk.objects.update(lease_until=timezone.now() - timedelta(hours=1))
    send_all(run)
    assert counts(run)["unknown"] == 3 and sink.accepted == []


def test_a_late_result_resolves_what_was_flagged_unknown(make_customers, make_campaign) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    claim = ledger.claim(run.chunks.get().pk, owner="j/b/1", journal="j/b")
    delivery = Delivery.objects.get(run=run)
    assert claim is not None
    ledger.record(claim, [ledger.Outcome(delivery.pk, "unknown")])
    ledger.record(claim, [ledger.Outcome(delivery.pk, "skipped", "canceled")])
    delivery.refresh_from_db()
    assert delivery.status == "unknown"
    ledger.record(claim, [ledger.Outcome(delivery.pk, "sent", at=timezone.now())])
    delivery.refresh_from_db()
    assert delivery.status == "sent"


def test_a_chunk_that_keeps_killing_its_worker_pauses_the_run(sink, make_customers, make_campaign) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    Chunk.objects.update(attempts=ledger.MAX_CLAIMS)
    chunk.send_chunk(run.chunks.get().pk)
    run.refresh_from_db()
    assert run.status == RunStatus.PAUSED and run.note
    with translation.override("zh-hans"):
        assert (
            selectors.progress(run)["note"]
            == "其中一部分反复导致工作进程中止。请查看工作进程的日志，然后继续发送。"
        )
