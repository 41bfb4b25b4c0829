"""Connected content, from a real HTTP server over a socket: only the list, within limits, once for all."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns import services
from campaigns.models import ContentSource
from campaigns.needs import _fetching as fetching
from campaigns.planning.checks import check_campaign
from personalization.access.models import AuditEntry, User
from tests.campaigns.needs.test_tags_in_messages import END, shown

pytestmark = pytest.mark.django_db(transaction=True)
TAG = '{% connected_content "weather" city: customer.city as weather %}<p>{{ weather.sky }}</p>'


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked: list[Any] = self.server.asked  # type: ignore[attr-defined]
        asked.append((self.path, self.headers.get("Authorization")))
        parts = urlsplit(self.path)
        city = parse_qs(parts.query).get("city", [""])[0]
        body = json.dumps({"sky": f"<b>{city}</b>"}).encode()
        kind, status = "application/json", 200
        match parts.path:
            case "/redirect":
                self.send_response(302)
                self.send_header("Location", "/ok?city=away")
                self.end_headers()
                return
            case "/500":
                status = 500
            case "/large":
                body = b"[" + b"1," * 100_000 + b"1]"
            case "/broken":
                body = b'{"sky": '
            case "/deep":
                body = b"[" * 5_000 + b"]" * 5_000
            case "/nan":
                body = b'{"sky": NaN}'
            case "/number":
                body = b'{"sky": 1' + b"0" * 400 + b"}"
            case "/latin":
                body = b'{"sky": "\xff"}'
            case "/text":
                kind, body = "text/plain", b"plain <i>"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture
def server(settings: Any) -> Iterator[ThreadingHTTPServer]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def source(server: Any, path: str = "/ok", **fields: Any) -> ContentSource:
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    return ContentSource.objects.create(**{"name": "weather", "url": url, "timeout_seconds": 1, **fields})


def test_each_question_is_asked_once_for_all_who_share_it_and_printed_escaped(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, server: Any
) -> None:
    source(server, authorization="Bearer x")
    make_customers(3, city="Cork & more")
    make_customers(2, start=3, city="Bonn")
    run = services.launch(make_campaign(bodies=(TAG + END,)), actor="test")
    send_all(run)
    mails = shown(sink)
    assert "<p>&lt;b&gt;Cork &amp; more&lt;/b&gt;</p>" in mails["c0"] and "Bonn" in mails["c4"]
    assert sorted(server.asked) == [("/ok?city=Bonn", "Bearer x"), ("/ok?city=Cork+%26+more", "Bearer x")]
    record = run.deliveries.get(customer__external_id="c4").inputs["needs"]
    assert list(record.values()) == [{"value": {"sky": "<b>Bonn</b>"}}]
    send_all(services.launch(make_campaign(bodies=(TAG + END,)), actor="test"))
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "path, words",
    [
        ("/redirect", "HTTP 302"), ("/500", "HTTP 500"),
        ("/large", "too large"), ("/broken", "JSONDecodeError"),
        ("/deep", ""), ("/nan", "ValueError"), ("/number", ""), ("/latin", "UnicodeDecodeError"),
    ],
)  # fmt: skip
def test_without_an_answer_the_customer_is_skipped_or_gets_the_fallback(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, server: Any, path: str, words: str
) -> None:
    row = source(server, path)
    make_customers(1)
    run = services.launch(make_campaign(bodies=(TAG + END,)), actor="test")
    send_all(run)
    skipped = run.deliveries.get()
    assert (skipped.status, skipped.reason) == ("skipped", "missing_value") and words in skipped.detail
    assert len(server.asked) == 1
    row.fallback = {"sky": "unknown"}
    row.save()
    send_all(services.launch(make_campaign(bodies=(TAG + END,)), actor="test"))
    assert "<p>unknown</p>" in shown(sink)["c0"]


def test_an_optional_block_goes_without_an_answer(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, server: Any
) -> None:
    source(server, "/500")
    make_customers(1)
    body = "{% optional %}" + TAG + "{% else %}<p>later</p>{% endoptional %}" + END
    send_all(services.launch(make_campaign(bodies=(body,)), actor="test"))
    assert "<p>later</p>" in shown(sink)["c0"]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://2130706433/", "https://0x7f.1/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
        "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "https://0.0.0.0/", "http://example.com/",
        "file:///etc/passwd", "gopher://127.0.0.1/", "https://user:pw@example.com/", "https://exa mple.com/",
        "https://127.1/", "https://[fe80::1%25lo]/", "//example.com", "https://\u24d4xample.com/", "",
    ],
)  # fmt: skip
def test_no_address_leads_into_a_network_of_ones_own(url: str, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = []
    answer = fetching.ask(_unsaved(url), {url})[url]
    assert answer.value is None and answer.trouble


def test_a_name_that_answers_with_another_address_later_gains_nothing(
    settings: Any, monkeypatch: Any
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = []
    looked_up: list[str] = []

    def rebinding(host: str, port: int, **_kw: Any) -> list[Any]:
        looked_up.append(host)
        place = ("127.0.0.1", port) if len(looked_up) > 1 else ("10.0.0.7", port)
        return [(2, 1, 6, "", place)]

    monkeypatch.setattr("personalization.access.outbound.socket.getaddrinfo", rebinding)
    assert fetching.ask(_unsaved("https://rebind.example/"), {"https://rebind.example/"})
    assert looked_up == ["rebind.example"]


def _unsaved(url: str) -> ContentSource:
    return ContentSource(pk=1, name="x", url=url, timeout_seconds=1, updated_at=timezone.now())


def test_a_source_that_keeps_failing_is_left_alone(server: Any) -> None:
    row = source(server, "/500")
    urls = {f"{row.url}?n={n}" for n in range(60)}
    answers = fetching.ask(row, urls)
    assert len(answers) == 60 and all(one.trouble for one in answers.values())
    assert len(server.asked) < 60


def test_only_the_list_is_asked_and_the_check_says_so(make_customers: Any, make_campaign: Any) -> None:
    make_customers(1)
    campaign = make_campaign(bodies=('{% connected_content "https://evil.example/" %}' + END,))
    assert any(c.level == "error" and "no such source" in c.message for c in check_campaign(campaign))


def test_the_list_is_kept_by_staff_audited_and_without_showing_secrets(client: Any) -> None:
    client.force_login(User.objects.create_superuser("boss", "boss@example.com", "x"))
    fields = {
        "name": "weather", "url": "https://api.example/v1", "authorization": "Bearer secret",
        "timeout_seconds": 3, "max_kilobytes": 100, "cache_seconds": 300, "fallback": "", "is_active": "on",
    }  # fmt: skip
    add = reverse("admin:campaigns_contentsource_add")
    assert "not called" in client.post(add, {**fields, "url": "http://10.0.0.1/"}).content.decode()
    assert client.post(add, fields).status_code == 302
    row = ContentSource.objects.get()
    change = reverse("admin:campaigns_contentsource_change", args=[row.pk])
    assert "secret" not in client.get(change).content.decode().replace("secrets", "")
    client.post(change, {**fields, "authorization": "", "timeout_seconds": 4})
    row.refresh_from_db()
    assert (row.authorization, row.timeout_seconds, row.fallback) == ("Bearer secret", 4, None)
    assert AuditEntry.objects.filter(action="contentsource.saved").count() == 2
