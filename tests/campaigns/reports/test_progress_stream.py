"""The progress of a run over a socket, from the server that production runs."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from campaigns import services
from campaigns.models import Delivery, DeliveryStatus, Run, RunStatus
from personalization.access.models import User
from tests.browser.conftest import database_url

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[int]:
    """granian with two threads and one place for a stream: its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL, "SECRET_KEY": settings.SECRET_KEY,
        "ALLOW_HTTP": "1", "DEBUG": "0", "LIVE_STREAMS": "1", "BESPOKE_DATA_DIR": str(tmp_path),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--log-level", "warning",
        "--blocking-threads", "2", "personalization.config.wsgi:application",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    until = time.monotonic() + 90
    while time.monotonic() < until:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def cookie(client: Client, db: None) -> str:
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


@pytest.fixture
def run(make_customers: Any, make_campaign: Any) -> Run:
    make_customers(4)
    return services.launch(make_campaign(), actor="test")


class Stream:
    def __init__(self, port: int, run: Run, cookie: str, *, seen: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Cookie": cookie, "Accept": "text/event-stream", "Accept-Language": "zh-hans"}
        path = f"/app/campaigns/{run.campaign_id}/report/data?run={run.number}"
        self.connection.request("GET", path, headers=headers | ({"Last-Event-ID": seen} if seen else {}))
        self.answer = self.connection.getresponse()

    def event(self) -> dict[str, str]:
        """The next event, past signs of life; empty at the end of the stream."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode():
            if line == "\n" and "event" in fields:
                return fields
            name, _, value = line.rstrip("\n").partition(":")
            fields |= {name: value.strip()} if name else {}
        return {}

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def test_a_run_is_watched_to_its_end_and_a_closed_window_gives_its_place_back(
    web: int, cookie: str, run: Run
) -> None:
    stream = Stream(web, run, cookie)
    assert stream.answer.status == 200
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    assert stream.answer.headers["Cache-Control"] == "no-store"
    first = stream.event()
    assert first["event"] == "progress" and first["retry"] == "1000"
    assert "4 人" in json.loads(first["data"])["html"]
    Delivery.objects.filter(pk=run.deliveries.order_by("pk")[0].pk).update(status=DeliveryStatus.SENT)
    second = stream.event()
    assert "width:25.000%" in json.loads(second["data"])["html"]
    # No second place: the page asks every few seconds instead. The other thread answers everything else.
    full = Stream(web, run, cookie)
    assert full.answer.status == 204
    stream.close()
    again: list[Stream] = []

    def has_place() -> bool:
        again.append(Stream(web, run, cookie, seen=second["id"]))
        return again[-1].answer.status == 200

    _until(has_place)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.CANCELED)
    last = again[-1].event()
    assert last["event"] == "end" and json.loads(last["data"])["status"] == "canceled"
    assert again[-1].event() == {}


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_who_may_not_see_campaigns_gets_no_stream(run: Run, client: Client) -> None:
    client.force_login(User.objects.create_user("mara", is_staff=True))
    assert (
        client.get(
            f"/app/campaigns/{run.campaign_id}/report/data", headers={"accept": "text/event-stream"}
        ).status_code
        == 403
    )
