"""Calls of journeys, over sockets: signed, repeated under one id, never into another network."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from campaigns.journeys import calling
from campaigns.models import CallStatus, Passage, WebhookCall
from personalization.access.outbound import ForbiddenAddress, public_addresses

pytestmark = pytest.mark.django_db


class Receiver(ThreadingHTTPServer):
    """Answers the statuses in `answers`, then 200; keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.told.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("location", "http://169.254.169.254/")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    server = Receiver()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def owe(make_customers: Any, make_journey: Any) -> Any:
    def make(url: str) -> WebhookCall:
        now = timezone.now()
        [customer] = make_customers(1)
        journey = make_journey(
            {"h": {"kind": "webhook", "params": {"url": "https://receiver.example/"}}}, now=now
        )
        passage = Passage.objects.create(
            journey=journey, version=journey.versions.get(), customer=customer, entry_key="1", node="h",
            entered_at=now, arrived_at=now, due_at=now, entry={"cart": "tea"},
        )  # fmt: skip
        return WebhookCall.objects.create(passage=passage, node="h", url=url, due_at=now, created_at=now)

    return make


def again(call: WebhookCall) -> WebhookCall:
    calling.make_due_calls(now=timezone.now() + timedelta(days=1))
    call.refresh_from_db()
    return call


def test_a_call_is_signed_and_says_where_the_customer_stands(receiver, owe):
    call = owe(f"http://127.0.0.1:{receiver.server_port}/hook?shop=1")
    assert calling.make_due_calls() == 1
    call.refresh_from_db()
    assert (call.status, call.detail, call.attempts) == (CallStatus.DONE, "HTTP 200", 1)
    [(headers, body)] = receiver.told
    Webhook(calling.secret()).verify(body, headers)  # raises when the signature is not ours
    told = json.loads(body)
    assert (told["type"], told["data"]["node"], told["data"]["entry"]) == (
        "journey.step",
        "h",
        {"cart": "tea"},
    )


def test_what_a_receiver_cannot_take_now_is_told_again_under_the_same_id(receiver, owe):
    receiver.answers = [503, 429]
    call = owe(f"http://127.0.0.1:{receiver.server_port}/")
    calling.make_due_calls()
    assert again(call).status == CallStatus.WAITING
    assert again(call).status == CallStatus.DONE
    assert len({headers["webhook-id"] for headers, _ in receiver.told}) == 1 and len(receiver.told) == 3


@pytest.mark.parametrize("status", [302, 404])
def test_a_redirect_is_not_followed_and_a_no_is_final(receiver, owe, status):
    receiver.answers = [status]
    call = owe(f"http://127.0.0.1:{receiver.server_port}/")
    for _ in range(calling.MAX_TRIES):
        again(call)
        receiver.answers = [status]
    assert call.status == CallStatus.FAILED and f"HTTP {status}" in call.detail


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://2130706433/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/",
     "http://receiver.example/", "https://localhost:1/"],
)  # fmt: skip
def test_a_call_into_another_network_is_given_up_at_once(owe, url):
    call = owe(url)
    calling.make_due_calls()
    call.refresh_from_db()
    assert (call.status, call.attempts) == (CallStatus.FAILED, 1)


@pytest.mark.parametrize("host", ["64:ff9b::a9fe:a9fe", "::127.0.0.1", "2002:7f00:1::", "2001:0:7f00:1::"])
def test_addresses_wrapped_into_others_are_unwrapped(host):
    with pytest.raises(ForbiddenAddress):
        public_addresses(host, 443)


def test_a_dead_receiver_does_not_keep_the_next_from_being_told(receiver, owe, settings):
    dead = owe("http://127.0.0.1:1/")
    WebhookCall.objects.filter(pk=dead.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    alive = WebhookCall.objects.create(
        passage=dead.passage, node="i", url=f"http://127.0.0.1:{receiver.server_port}/",
        due_at=timezone.now(), created_at=timezone.now(),
    )  # fmt: skip
    assert calling.make_due_calls() == 2
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.status, alive.status) == (CallStatus.WAITING, CallStatus.DONE)
