"""What the sending benchmarks share: a database of their own, an audience, a counting SMTP sink, workers."""

import asyncio
import contextlib
import json
import multiprocessing
import os
import secrets
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from _reference_mail import BODY

fork = multiprocessing.get_context("fork")


@contextlib.contextmanager
def own_database(area: str) -> Iterator[None]:
    """A migrated database for this run alone; Django is set up on it."""
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"bench_{area}_{secrets.token_hex(4)}"
    admin = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = f"{server}/{name}"
    folder = tempfile.TemporaryDirectory()
    os.environ["JOURNAL_DIR"] = f"{folder.name}/journal"
    os.environ["MODEL_DIR"] = f"{folder.name}/models"
    # As in production: with DEBUG every query would be written down.
    os.environ["DEBUG"] = "0"
    os.environ.setdefault("ALLOW_HTTP", "1")
    os.environ.setdefault("SECRET_KEY", "only-for-this-benchmark")
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    os.environ["SEND_RETRY_SECONDS"] = "0"
    os.environ.setdefault("SEND_LEASE_SECONDS", "2")
    from _run import setup_django

    setup_django()
    from django.core.management import call_command
    from django.db import connections

    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections.close_all()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        folder.cleanup()


class SinkProtocol(asyncio.BufferedProtocol):
    """Just enough SMTP, with PIPELINING and 8BITMIME; every accepted recipient is counted. It shares the
    processor with those it measures, so it keeps no message and looks at no byte twice. `delay`: seconds
    until it answers, as at the other end of a long line."""

    delay = 0.0
    counts: Counter[bytes] = Counter()
    total: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.room = memoryview(bytearray(1 << 18))
        self.buffer = bytearray()
        self.looked_at = 0
        self.in_data = False
        self.recipient = b""
        transport.write(b"220 sink\r\n")

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.room

    def buffer_updated(self, size: int) -> None:
        self.buffer += self.room[:size]
        replies: list[bytes] = []
        while (reply := self.next_reply()) is not None:
            replies.append(reply)
        if replies and self.delay:
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, b"".join(replies))
        elif replies:
            self.transport.write(b"".join(replies))

    def next_reply(self) -> bytes | None:
        """None until the line or message that has begun is complete."""
        end_mark = b"\r\n.\r\n" if self.in_data else b"\r\n"
        end = self.buffer.find(end_mark, self.looked_at)
        if end < 0:
            self.looked_at = max(len(self.buffer) - len(end_mark) + 1, 0)
            return None
        line = b"" if self.in_data else bytes(self.buffer[:end])
        del self.buffer[: end + len(end_mark)]
        self.looked_at = 0
        if not self.in_data:
            return self.answer(line)
        self.in_data = False
        self.counts[self.recipient] += 1
        self.total.value += 1
        return b"250 taken\r\n"

    def answer(self, line: bytes) -> bytes:
        word = line[:4].upper()
        if word == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
        if word == b"RCPT":
            self.recipient = line[line.index(b"<") + 1 : line.rindex(b">")]
        if word == b"DATA":
            self.in_data = True
            return b"354 go on\r\n"
        if word == b"QUIT":
            return b"221 bye\r\n"
        return b"250 ok\r\n"


class Sink:
    """The sink in a process of its own; `stop` answers how often each recipient was accepted."""

    def __init__(self, *, delay: float = 0.0) -> None:
        self.delay = delay
        self.total = fork.Value("i", 0, lock=False)
        self._file = Path(tempfile.mkstemp()[1])
        ours, theirs = fork.Pipe()
        self._process = fork.Process(target=self._serve, args=(theirs,), daemon=True)
        self._process.start()
        self.port: int = ours.recv()
        self.pid = self._process.pid or 0

    def _serve(self, pipe: Any) -> None:
        SinkProtocol.total, SinkProtocol.delay = self.total, self.delay

        async def serve() -> None:
            server = await asyncio.get_running_loop().create_server(SinkProtocol, "127.0.0.1", 0)
            pipe.send(server.sockets[0].getsockname()[1])
            done = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
            await done.wait()

        asyncio.run(serve())
        self._file.write_text(json.dumps({k.decode(): v for k, v in SinkProtocol.counts.items()}))

    def stop(self) -> dict[str, int]:
        self._process.terminate()
        self._process.join()
        found: dict[str, int] = json.loads(self._file.read_text())
        self._file.unlink()
        return found


def fill(customers: int, *, items: int = 0) -> None:
    """Customers with consent, and a catalog with a year's purchases when `items` is given."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO customers_customer (external_id, email, phone, first_name, last_name, language,
                country, city, time_zone, traits, created_at, updated_at)
            SELECT 'c' || i, 'c' || i || '@example.com', '', 'Ann' || i, 'Smith', 'en', 'GB', 'London', '',
                jsonb_build_object('points', i, 'tier', 'gold'), %s, %s FROM generate_series(1, %s) i""",
            [now, now, customers],
        )
        cursor.execute(
            """INSERT INTO customers_consent (customer_id, channel, topic, granted, source, recorded_at,
                is_current)
            SELECT id, 'email', 'marketing', true, 'import', %s, true FROM customers_customer""",
            [now],
        )
        if items:
            cursor.execute(
                """INSERT INTO catalog_item (external_id, name, description, categories, brand, price,
                    currency, is_hidden, url, image_url, translations, attributes, created_at, updated_at)
                SELECT 'i' || i, 'Item ' || i, 'Turned by hand from one piece of wood, oiled, 24 cm wide.',
                    '{}', '', i, 'GBP', false,
                    'https://shop.example/items/' || i, 'https://shop.example/pictures/' || i || '.png', '{}',
                    '{}', %s, %s FROM generate_series(1, %s) i""",
                [now, now, items],
            )
            cursor.execute(
                """INSERT INTO events_event (customer_id, message_key, name, item_id, value, properties,
                    context, occurred_at, received_at)
                SELECT c.id, md5(c.id || '-' || n)::uuid, 'Order Line',
                    (SELECT min(id) FROM catalog_item) + floor(power(random(), 2) * %s)::int, 10, '{}', '{}',
                    %s::timestamptz - random() * interval '300 days', %s
                FROM customers_customer c CROSS JOIN generate_series(1, 8) n""",
                [items, now, now],
            )
        cursor.execute("ANALYZE")


def launch(*, control_share: float = 0.0, bodies: tuple[str, ...] = (BODY,), name: str = "Everybody") -> Any:
    from campaigns import services
    from personalization.segments.services import save_segment

    version = save_segment(None, name=name, definition={"trait": "country", "op": "in", "value": ["GB"]})
    campaign = services.save_campaign(
        None, name="Benchmark", segment=version.segment, sender_name="Shop",
        sender_address="shop@shop.example", control_share=control_share, actor="benchmark",
        messages=[services.MessageDraft(key=f"m{i}", subject="For you, {{ customer.first_name }}", body=body)
                  for i, body in enumerate(bodies)],
    )  # fmt: skip
    return services.launch(campaign, actor="benchmark")


def work(run_id: int) -> None:
    """A worker's life: due chunks, one after the other, until the run has none left."""
    from django.utils import timezone

    from campaigns import ledger
    from campaigns.models import Chunk
    from campaigns.sending import chunk

    while Chunk.objects.filter(run_id=run_id).exclude(status="done").exists():
        due = Chunk.objects.filter(ledger.open_chunks(timezone.now()), run_id=run_id).order_by("?")
        ids = list(due.values_list("pk", flat=True)[:1])
        for pk in ids:
            chunk.send_chunk(pk)
        if not ids:
            time.sleep(0.05)


def start_worker(run_id: int) -> Any:
    """A process without inherited connections, as a Celery pool child is one."""
    from django.db import connections

    connections.close_all()
    process = fork.Process(target=work, args=(run_id,), daemon=True)
    process.start()
    return process


def cpu_seconds(pid: int, *, with_children: bool = False) -> float:
    """Time of the processor that a process has used, with its children that have ended."""
    times = _stat(pid)[11:15]
    return sum(map(int, times if with_children else times[:2])) / os.sysconf("SC_CLK_TCK")


def postgres_cpu_seconds() -> float | None:
    """Of the whole server; None when it does not run on this machine."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        own = connection.info.backend_pid
        try:
            server = int(_stat(own)[1])
        except OSError:
            return None
        spent = cpu_seconds(server, with_children=True)
        for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()):
            with contextlib.suppress(OSError):
                if pid != own and int(_stat(pid)[1]) == server:
                    spent += cpu_seconds(pid)
        return spent


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def resident_mb(pid: int) -> int | None:
    """What a process holds in memory now; None when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6) or None


def wait_for(condition: Callable[[], bool], *, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.001)
    return False
