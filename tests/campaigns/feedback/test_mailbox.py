"""The mailbox of reports, over real sockets: ours is taken and removed, anything else stays as it was."""

import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import services
from campaigns.feedback.mailbox import MailboxError, read_mailbox
from campaigns.models import Delivery
from campaigns.tracking import links
from personalization.customers.models import Suppression
from tests.campaigns.feedback.test_reports import NUMBER, dsn

pytestmark = pytest.mark.django_db
LETTER = b"From: friend@example.com\nTo: bounces@shop.example\nSubject: Lunch?\n\nToday at one?\n"


class Mailbox:
    """IMAP4rev1 and POP3, as far as a reader of mail needs them."""

    def __init__(self, mails: list[bytes]) -> None:
        self.mails = dict(enumerate(mails, start=1))
        self.flags: dict[int, set[str]] = {number: set() for number in self.mails}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def serve(self, talk: str) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rwb", buffering=0) as file:
                getattr(self, talk)(file)

    def imap(self, file: Any) -> None:
        file.write(b"* OK ready\r\n")
        while line := file.readline():
            tag, verb, rest = [*line.decode().strip().split(" ", 2), "", ""][:3]
            for answer in self._imap(verb.upper(), rest):
                file.write(answer)
            file.write(f"{tag} OK done\r\n".encode())
            if verb.upper() == "LOGOUT":
                return

    def _imap(self, verb: str, rest: str) -> Iterator[bytes]:
        kind = rest.partition(" ")[0].upper()
        if verb == "CAPABILITY":
            yield b"* CAPABILITY IMAP4rev1\r\n"
        elif verb == "SELECT":
            yield f"* {len(self.mails)} EXISTS\r\n".encode()
        elif verb == "UID" and kind == "SEARCH":
            left = [str(n) for n in self.mails if not self.flags[n]]
            yield f"* SEARCH {' '.join(left)}\r\n".encode()
        elif verb == "UID" and kind == "FETCH":
            assert "BODY.PEEK" in rest
            number = int(rest.split()[1])
            data = self.mails[number]
            yield f"* {number} FETCH (UID {number} BODY[] {{{len(data)}}}\r\n".encode() + data + b")\r\n"
        elif verb == "UID" and kind == "STORE":
            self.flags[int(rest.split()[1])].update(re.search(r"\((.*)\)", rest)[1].split())
        elif verb == "EXPUNGE":
            self.mails = {n: mail for n, mail in self.mails.items() if r"\Deleted" not in self.flags[n]}

    def pop(self, file: Any) -> None:
        file.write(b"+OK ready\r\n")
        deleted = set()
        while line := file.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            if verb == "UIDL":
                file.write(b"+OK\r\n" + b"".join(b"%d u%d\r\n" % (n, n) for n in self.mails) + b".\r\n")
            elif verb == "RETR":
                file.write(b"+OK\r\n" + self.mails[int(rest)].replace(b"\n", b"\r\n") + b"\r\n.\r\n")
            else:
                if verb == "DELE":
                    deleted.add(int(rest))
                elif verb == "QUIT":
                    self.mails = {n: mail for n, mail in self.mails.items() if n not in deleted}
                file.write(b"+OK\r\n")
            if verb == "QUIT":
                return


@pytest.fixture
def report(make_customers: Any, make_campaign: Any) -> bytes:
    make_customers(1, email="ann@example.com")
    run = services.launch(make_campaign(), actor="test")
    Delivery.objects.filter(run=run).update(status="sent", sent_at=timezone.now() - timedelta(days=1))
    one = Delivery.objects.get(run=run)
    number = links.message_id(one.pk, one.run_id, one.customer_id, "email")
    return dsn(status="5.1.1", diagnostic="550 5.1.1 User unknown").replace(NUMBER.encode(), number.encode())


@pytest.mark.parametrize(("scheme", "talk"), [("imap", "imap"), ("pop3", "pop")])
def test_reports_are_taken_and_letters_stay(report: bytes, scheme: str, talk: str, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    box = Mailbox([LETTER, report])
    threading.Thread(target=box.serve, args=(talk,), daemon=True).start()
    url = f"{scheme}://bounces:pw@127.0.0.1:{box.port}/INBOX"
    assert read_mailbox(url, timeout=5) == {"taken": 1, "left": 1, "failed": 0}
    assert list(box.mails.values()) == [LETTER] and Suppression.objects.count() == 1
    assert read_mailbox(url, timeout=5) == {"taken": 0, "left": 0, "failed": 0}
    box.listener.close()


def test_what_is_no_mailbox_is_said_without_its_password() -> None:
    for url in ("http://u:canary@x/", "imaps://u:canary@127.0.0.1:1/"):
        with pytest.raises(MailboxError) as caught:
            read_mailbox(url, timeout=1)
        assert "canary" not in str(caught.value)
