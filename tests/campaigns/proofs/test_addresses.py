"""Addresses are asked over real sockets; what may not be called is not."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from campaigns.proofs.addresses import Address, addresses_in, check_addresses


class Shop(BaseHTTPRequestHandler):
    asked: list[str]

    def answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")  # type: ignore[attr-defined]
        if self.command == "HEAD" and self.path == "/nohead":
            self.send_response(405)
        elif self.path == "/gone":
            self.send_response(404)
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
        else:
            self.send_response(200)
            self.send_header("Content-Type", "image/png" if self.path == "/a.png" else "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET = answer

    def log_message(self, *_words: Any) -> None:
        pass


@pytest.fixture
def shop(settings: Any) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.asked = []  # type: ignore[attr-defined]
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_each_address_is_judged_by_what_it_answers(shop: Any) -> None:
    base = f"http://127.0.0.1:{shop.server_port}"
    asked = [
        Address(f"{base}/ok", False), Address(f"{base}/gone", False), Address(f"{base}/moved", False),
        Address(f"{base}/nohead", False), Address(f"{base}/a.png", True), Address(f"{base}/page", True),
    ]  # fmt: skip
    found = check_addresses(asked)
    assert [one.level for one in found] == ["ok", "error", "warning", "ok", "ok", "error"]
    assert [one.status for one in found] == [200, 404, 302, 200, 200, 200]
    assert "GET /nohead" in shop.asked and not any("169.254" in line for line in shop.asked)


def test_a_network_of_ones_own_is_not_called_and_a_closed_port_is_told(shop: Any, settings: Any) -> None:
    base = f"http://127.0.0.1:{shop.server_port}"
    settings.OUTBOUND_ALLOWED_HOSTS = []
    targets = [
        f"{base}/x",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[64:ff9b::7f00:1]/",
    ]
    assert {one.level for one in check_addresses([Address(url, False) for url in targets])} == {"unknown"}
    assert shop.asked == []
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    assert check_addresses([Address("http://127.0.0.1:9/", False)])[0].level == "error"


def test_addresses_are_collected_once_without_those_that_lead_nowhere() -> None:
    pages = [
        '<a class="x" href="https://a.example/p?u=1&amp;v=2">',
        "<a href='https://a.example/p?u=2'>",
        '<img src="https://a.example/i.png"><a href="mailto:x@a.example"><a href="https://out.example/">',
    ]
    found = addresses_in(pages, leave_out=["https://out.example/"])
    assert [(one.url, one.is_picture) for one in found] == [
        ("https://a.example/p?u=1&v=2", False), ("https://a.example/i.png", True),
    ]  # fmt: skip
