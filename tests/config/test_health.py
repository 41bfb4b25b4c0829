import os
import re
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from campaigns.models import Chunk, Delivery, Run, RunStatus
from personalization.config import health
from personalization.config.tasks import heartbeat
from tests.privacy.making import make_row


def test_alive_asks_nobody(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db(transaction=True)
def test_ready_when_database_and_redis_answer(client: Client) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "database": "ok", "redis": "ok"}


@pytest.mark.django_db(transaction=True)
@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_not_ready_without_redis_and_says_so(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["redis"] == "unreachable"


@pytest.fixture
def frozen_database() -> Iterator[None]:
    """The server takes connections, and says nothing to them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
        pid = cursor.fetchone()[0]
    try:
        os.kill(pid, signal.SIGSTOP)
    except (ProcessLookupError, PermissionError):
        pytest.skip("The server is not a process of this account.")
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("frozen_database")
def test_a_frozen_database_is_told_and_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "does not answer", "redis": "ok"}
    waiting = _threads_that_wait()
    client.get("/readyz")
    assert _threads_that_wait() == waiting
    monkeypatch.setattr(health._FIGURES, "_seconds", 0.5)
    assert client.get("/metrics").status_code == 503


def _threads_that_wait() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "limited"]


@pytest.mark.django_db(transaction=True)
def test_metrics_are_for_this_machine_only_without_a_token(client: Client) -> None:
    assert b"bespoke_queue_length" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert client.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 403


@pytest.mark.django_db(transaction=True)
@override_settings(METRICS_TOKEN="s3")
def test_metrics_ask_for_the_token_when_there_is_one(client: Client) -> None:
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"authorization": "Bearer s3"}).status_code == 200


@pytest.mark.django_db(transaction=True)
@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_metrics_survive_a_dead_redis(client: Client) -> None:
    assert b"bespoke_redis_up 0.0" in client.get("/metrics").content


@pytest.mark.django_db(transaction=True)
def test_the_metrics_tell_what_is_late(client: Client) -> None:
    run = make_row(Run, {}, "plain")
    Run.objects.filter(pk=run.pk).update(status=RunStatus.SENDING)
    due_at = timezone.now() - timedelta(seconds=400)
    Chunk.objects.create(run=run, number=1, due_at=due_at)
    text = client.get("/metrics").content.decode()
    assert 400 <= float(re.search(r"^bespoke_send_overdue_seconds (\S+)", text, re.M)[1]) < 500
    assert "bespoke_heartbeat_age_seconds NaN" in text
    heartbeat()
    assert "bespoke_heartbeat_age_seconds NaN" not in client.get("/metrics").content.decode()
    Chunk.objects.update(lease_until=timezone.now() + timedelta(seconds=20))
    assert "bespoke_send_overdue_seconds 0.0" in client.get("/metrics").content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_a_standing_run_only_what_is_not_settled_is_counted(client: Client) -> None:
    """Of any other run all, as long as it is open."""
    for status, is_standing in ((RunStatus.SENDING, False), (RunStatus.PAUSED, True), ("finished", False)):
        run = make_row(Run, {}, "plain")
        Run.objects.filter(pk=run.pk).update(status=status, is_standing=is_standing)
        states = ["pending", "unknown", "unknown", "sent", "sent", "sent", "failed", "skipped"]
        Delivery.objects.bulk_create(Delivery(run=run, status=state) for state in states)
    text = client.get("/metrics").content.decode()
    counts = dict(re.findall(r'^bespoke_deliveries\{status="(\w+)"\} (\S+)', text, re.M))
    assert counts == {"pending": "2.0", "unknown": "4.0", "sent": "3.0", "failed": "1.0", "skipped": "1.0"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file", ["grafana/bespoke.json", "prometheus/alerts.yaml"])
def test_the_dashboard_and_the_alarms_ask_for_figures_that_exist(client: Client, file: str) -> None:
    asked = set(re.findall(r"bespoke_[a-z_]+", (settings.BASE_DIR / "deploy" / file).read_text()))
    told = set(re.findall(r"^# TYPE (bespoke_\w+)", client.get("/metrics").content.decode(), re.M))
    assert len(asked) >= 5
    assert asked <= told


def test_the_example_of_the_compose_file_names_settings_that_are_documented() -> None:
    documented = (settings.BASE_DIR / "docs" / "settings.md").read_text()
    text = (settings.BASE_DIR / "deploy" / "example.env").read_text()
    names = set(re.findall(r"^([A-Z_]+)=", text, re.M)) - {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert {name for name in names if f"`{name}`" not in documented} == set()
