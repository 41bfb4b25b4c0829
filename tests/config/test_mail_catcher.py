"""The mail catcher, over real sockets."""

import asyncio
import json
import smtplib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from personalization.config.supervisor.mail_catcher.inbox import InboxServer, open_links_outside
from personalization.config.supervisor.mail_catcher.smtp import serve
from personalization.config.supervisor.mail_catcher.store import Store


class Catcher:
    """Both servers on free ports, in threads."""

    def __init__(self) -> None:
        self.store = Store()
        self.inbox = InboxServer(self.store, port=0)
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(serve(self.store, port=0))
        self.smtp_port = self.server.sockets[0].getsockname()[1]
        self.inbox_port = self.inbox.server_address[1]
        self.threads = [
            threading.Thread(target=self.inbox.serve_forever, daemon=True),
            threading.Thread(target=self.loop.run_forever, daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        self.inbox.shutdown()
        self.inbox.server_close()
        self.loop.call_soon_threadsafe(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        for thread in self.threads:
            thread.join(timeout=5)

    def get(self, path: str, **headers: str) -> tuple[str, dict[str, str]]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.inbox_port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.read().decode(), dict(answer.headers)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    made = Catcher()
    yield made
    made.close()


def send(
    catcher: Catcher, *, to: str = "mia@shop.example", subject: str = "Hello", html: str = "<p>Hi</p>"
) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@bespoke.example", to, subject
    message.set_content("Hi in plain text")
    message.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port) as client:
        client.send_message(message)


def test_a_message_is_caught_and_shown_newest_first(catcher: Catcher) -> None:
    send(catcher, subject="First")
    send(catcher, subject="Second", to="leo@shop.example")
    page, _ = catcher.get("/")
    assert page.index("Second") < page.index("First")
    assert "2 messages accepted" in page
    page, _ = catcher.get("/?to=LEO%40shop")
    assert "Second" in page
    assert "First" not in page
    page, _ = catcher.get("/messages/1")
    assert "Hi in plain text" in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_nothing_in_a_message_reaches_the_page_as_markup(catcher: Catcher) -> None:
    send(catcher, subject="<script>alert(1)</script>", html="<script>alert(2)</script><p>shown</p>")
    for path in ("/", "/messages/1"):
        page, headers = catcher.get(path)
        assert "<script" not in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
    page, headers = catcher.get("/messages/1/html")
    assert "<p>shown</p>" in page
    assert "sandbox allow-popups" in headers["Content-Security-Policy"]
    assert "allow-scripts" not in headers["Content-Security-Policy"]


def test_programs_read_what_arrived_after_a_number(catcher: Catcher) -> None:
    for number in range(1, 6):
        send(catcher, subject=f"Number {number}")
    answer = json.loads(catcher.get("/messages.json?after=2&limit=2&raw=1")[0])
    assert answer["accepted"] == 5
    assert [row["number"] for row in answer["messages"]] == [3, 4]
    assert answer["messages"][0]["recipients"] == ["mia@shop.example"]
    assert "Subject: Number 3" in answer["messages"][0]["raw"]
    raw, headers = catcher.get(answer["messages"][0]["raw_url"])
    assert len(raw) == answer["messages"][0]["size"]
    assert headers["Content-Type"].startswith("text/plain")
    assert json.loads(catcher.get("/messages.json?after=5")[0])["messages"] == []


def test_commands_in_one_write_and_dots_and_utf8_come_through_unchanged(catcher: Catcher) -> None:
    import socket

    body = "Subject: Grüße 你好\r\n\r\n..two dots\r\nend\r\n".encode()
    with socket.create_connection(("127.0.0.1", catcher.smtp_port), timeout=5) as line:
        reader = line.makefile("rb")
        reader.readline()
        line.sendall(b"EHLO here\r\n")
        offered = []
        while (answer := reader.readline())[3:4] != b" ":
            offered.append(answer.strip().split(b"-", 1)[1].split()[0])
        assert {b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"SIZE"} <= set(offered)
        line.sendall("MAIL FROM:<a@b.example> SMTPUTF8\r\nRCPT TO:<müller@shop.example>\r\nDATA\r\n".encode())
        assert [reader.readline()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        line.sendall(body + b".\r\n")
        assert reader.readline().startswith(b"250 2.0.0 Caught as message 1")
    message = catcher.store.get(1)
    assert message is not None
    assert message.raw == body.replace(b"\r\n..", b"\r\n.")
    assert message.recipients == ("müller@shop.example",)


def test_another_site_whose_name_leads_here_reads_nothing(catcher: Catcher) -> None:
    send(catcher)
    with pytest.raises(urllib.error.HTTPError) as refused:
        catcher.get("/messages.json", Host="evil.example")
    assert refused.value.code == 421


def test_only_the_newest_are_kept_and_all_are_counted() -> None:
    store = Store(kept_messages=3, kept_bytes=1000)
    for number in range(1, 11):
        assert store.add("a@b.example", ["c@d.example"], b"x") == number
    assert store.accepted == 10
    assert [message.number for message in store.after(0, limit=100)] == [8, 9, 10]
    assert store.get(7) is None
    store.add("a@b.example", ["c@d.example"], b"x" * 999)
    assert [message.number for message in store.newest()] == [11, 10]


def test_a_message_that_is_no_mail_at_all_is_still_shown(catcher: Catcher) -> None:
    catcher.store.add("", ["a@b.example"], b"\xff\xfe\x00 no headers")
    assert "(no subject)" in catcher.get("/")[0]
    assert catcher.get("/messages/1")[0]


def test_links_open_outside_the_frame() -> None:
    assert open_links_outside("<html><head lang=x><title>") == (
        '<html><head lang=x><base target="_blank"><title>'
    )
    assert open_links_outside("<p>") == '<base target="_blank"><p>'
