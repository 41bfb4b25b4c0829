"""A real SMTP server over sockets that counts and misbehaves on demand, and campaigns ready to go."""

import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from campaigns import ledger, services
from campaigns.models import Campaign, Chunk
from campaigns.sending import chunk
from campaigns.services import MessageDraft
from personalization.access.models import User
from personalization.customers.models import Channel, Consent, Customer
from personalization.segments.services import save_segment

BODY = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ customer.first_name }}</mj-text>
<mj-text><a href="https://shop.example/sale">Sale</a></mj-text>
<mj-text><a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""


@dataclass
class Sink:
    """`fault(recipient, number)`: "4xx", "5xx", "drop" (line cut after the dot), "hang", "421" or "".
    `most_allowed`: connections at a time; `most_open`: as many as there were."""

    host: str = "127.0.0.1"
    port: int = 0
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    fault: Callable[[str, int], str] = lambda recipient, number: ""
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SMTPUTF8")
    on_data: Callable[[str], None] = lambda recipient: None
    connections: int = 0
    open: int = 0
    most_open: int = 0
    most_allowed: int = 100
    closing: threading.Event = field(default_factory=threading.Event)
    counting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}?timeout=2"

    @property
    def recipients(self) -> Counter[str]:
        return Counter(recipient for recipient, _ in self.accepted)

    @property
    def message_ids(self) -> Counter[bytes]:
        return Counter(re.search(rb"Message-ID: (<[^>]+>)", data)[1] for _, data in self.accepted)

    def serve(self, listener: socket.socket) -> None:
        while not self.closing.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(30)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        file = client.makefile("rb")
        with self.counting:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            is_one_too_many = self.open > self.most_allowed
        try:
            if is_one_too_many:
                client.sendall(b"421 too many connections\r\n")
                return
            client.sendall(b"220 sink\r\n")
            self._session(client, file)
        except OSError:
            pass
        finally:
            with self.counting:
                self.open -= 1
            file.close()
            client.close()

    def _session(self, client: socket.socket, file: Any) -> None:
        recipient = ""
        while line := file.readline():
            word = line[:4].upper()
            if word == b"EHLO":
                lines = [b"sink", *(name.encode() for name in self.extensions)]
                client.sendall(
                    b"".join(b"250-%s\r\n" % each for each in lines[:-1]) + b"250 %s\r\n" % lines[-1]
                )
            elif word == b"RCPT":
                recipient = re.search(rb"<(.*)>", line)[1].decode()
                client.sendall(
                    b"550 no such mailbox\r\n" if self.fault(recipient, -1) == "norcpt" else b"250 ok\r\n"
                )
            elif word == b"DATA":
                if self.fault(recipient, -1) == "norcpt":
                    client.sendall(b"503 no recipients\r\n")
                    continue
                client.sendall(b"354 go on\r\n")
                if not self._message(client, file, recipient):
                    return
            elif word == b"QUIT":
                client.sendall(b"221 bye\r\n")
                return
            else:
                client.sendall(b"250 ok\r\n")

    def _message(self, client: socket.socket, file: Any, recipient: str) -> bool:
        lines = []
        while (line := file.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        self.on_data(recipient)
        fault = self.fault(recipient, len(self.accepted))
        if fault == "4xx":
            client.sendall(b"451 try later\r\n")
        elif fault == "5xx":
            client.sendall(b"554 not <somebody@example.com>\r\n")
        elif fault == "421":
            client.sendall(b"421 closing\r\n")
            return False
        elif fault == "gone":
            return False
        else:
            self.accepted.append((recipient, b"".join(lines)))
            if fault == "drop":
                return False
            if fault == "hang":
                self.closing.wait(10)
                return False
            client.sendall(b"250 taken\r\n")
        return True


@pytest.fixture
def sink(settings: Any, tmp_path: Path) -> Iterator[Sink]:
    sink = Sink()
    listener = socket.create_server((sink.host, 0), backlog=64)
    sink.port = listener.getsockname()[1]
    threading.Thread(target=sink.serve, args=(listener,), daemon=True).start()
    settings.EMAIL_URL = sink.url
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.SEND_RETRY_SECONDS = 0
    chunk.close_sessions()
    yield sink
    chunk.close_sessions()
    sink.closing.set()
    listener.close()


@pytest.fixture
def make_customers() -> Callable[..., list[Customer]]:
    def make(n: int, *, consent: bool = True, start: int = 0, **fields: Any) -> list[Customer]:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        people = Customer.objects.bulk_create(
            Customer(
                **{
                    "external_id": f"c{start + i}", "email": f"c{start + i}@example.com",
                    "first_name": f"Name{i}",
                    "language": "en", "country": "GB", "created_at": now, **fields,
                }
            )
            for i in range(n)
        )  # fmt: skip
        if consent:
            Consent.objects.bulk_create(
                Consent(
                    customer=person, channel=Channel.EMAIL, topic="marketing", granted=True, source="test",
                    recorded_at=now,
                )
                for person in people
            )  # fmt: skip
        return people

    return make


@pytest.fixture
def make_campaign() -> Callable[..., Campaign]:
    def make(
        *,
        control_share: float = 0.0,
        bodies: tuple[str, ...] = (BODY,),
        drafts: tuple[dict[str, Any], ...] = (),
        **fields: Any,
    ) -> Campaign:
        """A message for each of `drafts` (what differs from the usual one), else for each of `bodies`."""
        messages = drafts or tuple({"body": body} for body in bodies)
        version = save_segment(
            None, name=f"Everybody {Campaign.objects.count()}",
            definition={"trait": "country", "op": "in", "value": ["GB"]},
        )  # fmt: skip
        return services.save_campaign(
            None, name="Spring", segment=version.segment, sender_name="Shop",
            sender_address="shop@shop.example",
            control_share=control_share, actor="test",
            messages=[MessageDraft(**{"key": f"m{i}", "subject": "Hi {{ customer.first_name }}", **message})
                      for i, message in enumerate(messages)],
            **fields,
        )  # fmt: skip

    return make


@pytest.fixture
def send_all() -> Callable[..., None]:
    """What worker and tick do until nothing is due, in this process."""

    def send(run: Any, rounds: int = 10) -> None:
        for _ in range(rounds):
            due = list(
                Chunk.objects.filter(ledger.open_chunks(timezone.now()), run=run).values_list("pk", flat=True)
            )
            if not due:
                break
            for pk in due:
                chunk.send_chunk(pk)
        ledger.finish_runs(now=timezone.now())
        run.refresh_from_db()

    return send


@pytest.fixture
def staff(client: Any) -> Any:
    """Logs a member of staff in who has the named permissions, and gives the client."""

    def log_in(*permissions: str) -> Any:
        user = User.objects.create_user(
            f"kim{User.objects.count() or ''}", email="kim@shop.example", is_staff=True
        )
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        return client

    return log_in
