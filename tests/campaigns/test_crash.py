"""Workers that are killed with SIGKILL: nobody is lost, nobody gets it twice."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as configured
from django.db import connections
from django.utils import timezone

from campaigns import ledger, selectors, services, tasks
from campaigns.models import Chunk, ChunkStatus, Delivery
from campaigns.sending import chunk

pytestmark = [pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parent.parent.parent
BODY = '<p>Hello {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'
fork = multiprocessing.get_context("fork")


def work(run_id: int) -> None:
    while Chunk.objects.filter(run_id=run_id).exclude(status=ChunkStatus.DONE).exists():
        due = Chunk.objects.filter(ledger.open_chunks(timezone.now()), run_id=run_id).order_by("?")
        for pk in due.values_list("pk", flat=True)[:1]:
            chunk.send_chunk(pk)
        time.sleep(0.01)


def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.002)
    return False


def judge(run: Any, sink: Any, *, kills: int) -> None:
    """The server's own count against the ledger, to the person: at most one unknown for each kill and
    connection."""
    counts = selectors.progress(run)
    accepted = sink.recipients
    states = dict(Delivery.objects.filter(run=run).values_list("customer__email", "status"))
    assert max(accepted.values()) == 1
    assert set(accepted) <= set(states)
    assert counts["pending"] == counts["failed"] == counts["skipped"] == 0
    assert {e for e, s in states.items() if s == "sent"} <= set(accepted)
    assert counts["unknown"] <= kills * configured.SEND_CONNECTIONS
    assert counts["sent"] + counts["unknown"] == counts["audience"] == run.audience_size


def test_killing_workers_loses_and_doubles_nobody(
    sink: Any, make_customers: Any, make_campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "LEASE", timedelta(seconds=1))
    make_customers(2000)
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")
    rng = random.Random(7)

    def start() -> Any:
        connections.close_all()
        process = fork.Process(target=work, args=(run.pk,), daemon=True)
        process.start()
        return process

    workers, kills = [start(), start()], 0
    for mark in sorted(rng.sample(range(1, 1900), 6)):
        assert until(lambda mark=mark: len(sink.accepted) >= mark, seconds=120)  # type: ignore[misc]
        alive = [worker for worker in workers if worker.is_alive()]
        if not alive:
            break
        victim = rng.choice(alive)
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        kills += 1
        workers[workers.index(victim)] = start()
    for worker in workers:
        worker.join(30)
    assert kills == 6
    judge(run, sink, kills=kills)


def _redis_url() -> str | None:
    """A database of the test's own; None without a server."""
    url = f"{configured.REDIS_URL.rpartition('/')[0]}/15"
    try:
        redis.Redis.from_url(url).ping()
    except redis.ConnectionError:
        return None
    return url


def test_a_celery_worker_killed_in_the_middle_loses_and_doubles_nobody(
    sink: Any, make_customers: Any, make_campaign: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = _redis_url()
    if broker is None:
        pytest.skip("no Redis")
    redis.Redis.from_url(broker).flushdb()
    monkeypatch.setattr(ledger, "LEASE", timedelta(seconds=2))
    monkeypatch.setattr(tasks, "QUEUED", timedelta(seconds=2))
    make_customers(1500)
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")
    sink.on_data = lambda recipient: time.sleep(0.001)
    worker = _start_celery(broker, sink, settings)
    try:
        with tasks.send_chunk.app.connection_for_write(broker) as link:
            _tick_until(run, link, lambda: len(sink.accepted) > 300)
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
            worker = _start_celery(broker, sink, settings)
            _tick_until(run, link, lambda: not _open(run))
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    judge(run, sink, kills=2)  # one for each process of the pool


def _open(run: Any) -> bool:
    return run.chunks.exclude(status=ChunkStatus.DONE).exists()


def _start_celery(broker: str, sink: Any, settings: Any) -> "subprocess.Popen[bytes]":
    database = connections["default"].settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    if str(database["HOST"]).startswith("/"):
        url = "postgres://{USER}:{PASSWORD}@/{NAME}?host={HOST}&port={PORT}".format(**database)
    environment = {
        **os.environ, "DATABASE_URL": url, "REDIS_URL": broker, "EMAIL_URL": sink.url,
        "JOURNAL_DIR": str(settings.JOURNAL_DIR), "SEND_LEASE_SECONDS": "2", "SEND_RETRY_SECONDS": "0",
        "LINK_KEY": settings.LINK_KEY, "ADDRESS_KEY": settings.ADDRESS_KEY, "SECRET_KEY": settings.SECRET_KEY,
        "DEBUG": "1", "C_FORCE_ROOT": "1",
    }  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "personalization.config",
        "worker",
        "-Q",
        "send",
        "-c",
        "2",
    ]
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)


def _tick_until(run: Any, link: Any, condition: Callable[[], bool]) -> None:
    def tick_and_look() -> bool:
        for pk in tasks.take_due_chunks():
            tasks.send_chunk.apply_async((pk,), connection=link, queue="send")
        time.sleep(0.02)
        return condition()

    assert until(tick_and_look, seconds=180), selectors.progress(run)


def test_two_ticks_at_once_do_no_harm(
    sink: Any, make_customers: Any, make_campaign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_customers(1200)
    campaign = make_campaign()
    services.schedule(campaign, at=timezone.now() - timedelta(seconds=1), actor="test")
    handed: list[int] = []
    monkeypatch.setattr(tasks.send_chunk, "delay", handed.append)

    def tick() -> None:
        tasks.tick()
        connections.close_all()

    for _ in range(2):
        threads = [threading.Thread(target=tick) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert campaign.runs.count() == 1
    assert sorted(handed) == sorted(campaign.runs.get().chunks.values_list("pk", flat=True))


def test_a_chunk_handed_over_again_and_again_is_sent_once(
    sink: Any, make_customers: Any, make_campaign: Any
) -> None:
    make_customers(300)
    run = services.launch(make_campaign(bodies=(BODY,)), actor="test")
    pk = run.chunks.get().pk

    def send() -> None:
        chunk.send_chunk(pk)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    judge(run, sink, kills=0)


def test_a_launch_that_is_not_possible_is_told_on_the_campaign(
    make_campaign: Any, make_customers: Any
) -> None:
    people = make_customers(1)
    campaign = make_campaign()
    services.schedule(campaign, at=timezone.now() - timedelta(seconds=1), actor="test")
    people[0].delete()
    tasks.tick()
    campaign.refresh_from_db()
    assert campaign.status == "draft" and "Nobody" in campaign.problem
