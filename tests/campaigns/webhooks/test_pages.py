"""The log of a webhook, its console, and what staff do there."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from standardwebhooks import Webhook

from campaigns.models import Telling, WebhookEndpoint
from campaigns.transport import breaker
from campaigns.webhooks import services, telling
from personalization.access import outbound
from personalization.access.models import User
from tests.campaigns.webhooks.conftest import happen, tell
from tests.certificates import write_certificate

pytestmark = pytest.mark.django_db


def test_the_log_says_when_the_next_attempt_is(client: Client, receiver, endpoint, make_customers) -> None:
    """Due in five seconds by the schedule, and not before a receiver that is left alone is asked again."""
    (customer,) = make_customers(1)
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    happen(customer)
    receiver.fault = lambda path, number: 503
    before = timezone.now()
    tell(endpoint)
    (call,) = client.get(f"/api/v1/webhooks/{endpoint.pk}/calls").json()["results"]
    found = datetime.fromisoformat(call["next_attempt_at"])
    assert 4 <= (found - before).total_seconds() <= 12
    page = f"/app/webhooks/{endpoint.pk}"
    assert date_format(timezone.localtime(found), "DATETIME_FORMAT") in client.get(page).content.decode()

    until = breaker.fail(telling.breaker_key(endpoint), "down", at_once=True).until_at
    (call,) = client.get(f"/api/v1/webhooks/{endpoint.pk}/calls").json()["results"]
    assert datetime.fromisoformat(call["next_attempt_at"]) == until
    WebhookEndpoint.objects.update(is_active=False)
    (call,) = client.get(f"/api/v1/webhooks/{endpoint.pk}/calls").json()["results"]
    assert call["status"] == "waiting" and call["next_attempt_at"] is None


@pytest.mark.parametrize(
    ("detail", "chinese"),
    [
        (telling.GONE, "HTTP 410：接收方不再接受调用"),
        ("only https addresses are called", "只会调用 https 地址"),
        ("the certificate is not trusted: self-signed certificate", "证书不受信任: self-signed certificate"),
        ("HTTP 500 Order", "HTTP 500 Order"),
    ],
)
def test_what_a_worker_wrote_is_read_in_the_readers_language(
    client: Client, endpoint, make_customers, detail: str, chinese: str
) -> None:
    (customer,) = make_customers(1)
    happen(customer)
    telling.collect(endpoint, now=timezone.now() + timedelta(seconds=1))
    Telling.objects.update(detail=detail)
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    client.cookies["django_language"] = "zh-hans"
    assert f"<td>{chinese}</td>" in client.get(f"/app/webhooks/{endpoint.pk}").content.decode()
    calls = client.get(f"/api/v1/webhooks/{endpoint.pk}/calls", headers={"Accept-Language": "zh-hans"})
    assert calls.json()["results"][0]["detail"] == chinese


def test_why_a_webhook_was_switched_off_is_read_in_the_readers_language(client: Client, endpoint) -> None:
    WebhookEndpoint.objects.update(is_active=False, problem=telling.GONE)
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    client.cookies["django_language"] = "zh-hans"
    for address in (f"/app/webhooks/{endpoint.pk}", "/app/webhooks/"):
        assert "HTTP 410：接收方不再接受调用" in client.get(address).content.decode()
    found = client.get(f"/api/v1/webhooks/{endpoint.pk}", headers={"Accept-Language": "zh-hans"}).json()
    assert found["problem"] == "HTTP 410：接收方不再接受调用"


def test_the_log_is_shown_and_the_secret_is_not(client: Client, endpoint, make_customers) -> None:
    (customer,) = make_customers(1)
    happen(customer)
    tell(endpoint)
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    page = client.get(f"/app/webhooks/{endpoint.pk}").content.decode()
    assert "Message Clicked" in page and endpoint.secret not in page
    client.post(f"/app/webhooks/{endpoint.pk}/again", {"telling": Telling.objects.get().pk})
    assert Telling.objects.get().status == "waiting"
    assert client.get("/app/webhooks/").status_code == client.get("/app/webhooks/new").status_code == 200


def test_the_console_sends_one_signed_test_and_shows_the_answer(receiver, endpoint) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    receiver.take_webhook = lambda path, headers, body: (
        receiver.bodies.append((headers, body)) or (503, {"why": "closed for today"})
    )
    page = client.post(f"/app/webhooks/{endpoint.pk}/test", {"event": "Order Completed"}).content.decode()
    ((headers, body),) = receiver.bodies
    assert Webhook(endpoint.secret).verify(body, headers)["type"] == "order.completed"
    assert headers["webhook-id"].startswith("test_")
    assert "Answered 503" in page and "closed for today" in page
    endpoint.refresh_from_db()
    assert endpoint.is_active and not Telling.objects.exists()


def test_the_console_says_why_nobody_answered(endpoint) -> None:
    WebhookEndpoint.objects.update(url="https://127.0.0.1:9/in")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = client.post(f"/app/webhooks/{endpoint.pk}/test").content.decode()
    assert "No answer:" in page


@pytest.fixture
def with_tls(receiver: Any, endpoint: WebhookEndpoint, tmp_path: Any) -> Iterator[Path]:
    """The endpoint moves behind TLS; answers the certificate, which it has signed itself."""
    certificate = write_certificate(tmp_path)
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(certificate)
    outbound._tls.cache_clear()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with contextlib.suppress(OSError):
                        receiver._talk(secure.wrap_socket(client, server_side=True))

        threading.Thread(target=serve, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/in"
        services.save_endpoint(endpoint, name="CRM", url=url, actor="test")
        yield certificate
    outbound._tls.cache_clear()


def test_a_certificate_that_nobody_vouches_for_is_told_in_words(
    client: Client, receiver, endpoint, with_tls, make_customers
) -> None:
    (customer,) = make_customers(1)
    happen(customer)
    tell(endpoint)
    row = Telling.objects.get()
    assert row.status == "waiting" and row.detail == "the certificate is not trusted: self-signed certificate"
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    page = client.post(f"/app/webhooks/{endpoint.pk}/test").content.decode()
    assert row.detail in page and "OUTBOUND_CA_FILE" in page and not receiver.bodies


def test_an_authority_of_ones_own_is_believed_when_it_is_named(
    receiver, endpoint, with_tls, make_customers, settings
) -> None:
    settings.OUTBOUND_CA_FILE = str(with_tls)
    (customer,) = make_customers(1)
    happen(customer)
    tell(endpoint)
    ((headers, body),) = receiver.bodies
    assert Webhook(endpoint.secret).verify(body, headers) and Telling.objects.get().status == "sent"


def test_staff_who_send_again_need_not_wait_for_a_receiver_that_is_left_alone(
    client: Client, receiver, endpoint, make_customers
) -> None:
    (customer,) = make_customers(1)
    happen(customer)
    breaker.fail(f"webhook:{endpoint.pk}", "down", at_once=True)
    tell(endpoint)
    assert not receiver.bodies
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    client.post(f"/app/webhooks/{endpoint.pk}/again", {"telling": Telling.objects.get().pk})
    telling.tell_due(endpoint.pk)
    assert len(receiver.bodies) == 1
    services.save_endpoint(endpoint, name="CRM", url=endpoint.url, is_active=False, actor="test")
    path = f"/app/webhooks/{endpoint.pk}/again"
    page = client.post(path, {"telling": Telling.objects.get().pk}, follow=True).content.decode()
    assert "This webhook is switched off: they wait" in page


def test_a_call_that_cannot_be_meant_is_not_taken_for_all_of_them(client: Client, endpoint) -> None:
    client.force_login(User.objects.create_superuser("kim"))
    assert client.post(f"/app/webhooks/{endpoint.pk}/again", {"telling": "7x"}).status_code == 404
