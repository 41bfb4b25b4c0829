"""Events per second over HTTP and by file, beside a bare COPY in the same run, and how it grows.

    python benchmarks/ingest.py [--quick] [--save]

granian with two workers on 127.0.0.1, real sockets kept open by a generator in a process of its own, whose
CPU is counted apart. Every call is answered after the commit, every event is deduplicated. Measured with
1,000,000 and again with 10,000,000 stored events (--quick: 100,000 and 300,000).
"""

import io
import json
import multiprocessing
import os
import resource
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import psycopg
from _run import ROOT, parse_args, report, setup_django, timed
from load import bare_copy, write_events

THREADS = 8
SIZES = {"single": 1, "batch_of_100": 100, "batch_of_1000": 1000}


def main() -> None:
    args = parse_args(__doc__)
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"bench_ingest_{secrets.token_hex(4)}"
    admin = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = f"{server}/{name}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(args, Path(folder))
    finally:
        from django.db import connections

        connections.close_all()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def measure(args, folder: Path) -> None:
    setup_django()
    from django.core.management import call_command
    from django.db import connection

    from personalization.access.services import create_key

    call_command("migrate", verbosity=0)
    token = create_key(name="bench", scopes=["ingest"])[1]
    small, large = (100_000, 300_000) if args.quick else (1_000_000, 10_000_000)
    rows = small
    write_events(folder / "events.parquet", rows)

    def load() -> None:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            call_command("load", "events", str(folder / "events.parquet"), "--unknown-items", "create")

    file_seconds = timed(load)
    bare_seconds = bare_copy("events_event", folder)
    figures: dict[str, object] = {
        "file_events_per_second": round(rows / file_seconds),
        "bare_copy_events_per_second": round(rows / bare_seconds),
    }
    ratios = {"file_to_bare_copy": bare_seconds / file_seconds}
    connection.close()
    seconds = 3 if args.quick else 10
    with Server() as port:
        for name, size in SIZES.items():
            found = generate(port, token, size=size, seconds=seconds)
            figures |= {f"{name}_{key}": value for key, value in found.items()}
            ratios[f"{name}_to_bare_copy"] = found["events_per_second"] / (rows / bare_seconds)
        before = found_rate = figures["batch_of_100_events_per_second"]
        fill(large)
        found = generate(port, token, size=100, seconds=seconds)
        figures |= {f"batch_of_100_at_{large}_{key}": value for key, value in found.items()}
        found_rate = found["events_per_second"]
    ratios[f"batch_of_100_at_{large}_to_{small}"] = found_rate / before
    report("ingest", figures, ratios, args=args, packages=("granian", "psycopg", "msgspec"))


def fill(total: int) -> None:
    """More events of the customers that are there, until the table holds `total`."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        have = connection.execute("SELECT count(*) FROM events_event").fetchone()[0]
        connection.execute(
            "INSERT INTO events_event (customer_id, message_key, name, item_id, value, properties, context,"
            " occurred_at, received_at) SELECT c.ids[1 + n %% cardinality(c.ids)], md5(n::text)::uuid,"
            " 'Order Line', NULL, n %% 50, '{}', '{}', now() - (n %% 86400) * interval '5 minutes', now()"
            " FROM generate_series(1, %s) AS n, (SELECT array_agg(id) AS ids FROM customers_customer) AS c",
            [max(0, total - have)],
        )
        connection.commit()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE events_event")


class Server:
    def __enter__(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
             "--port", str(port),
             "--workers", "2", "--blocking-threads", "4", "--log-level", "warning",
             "personalization.config.wsgi:application"],
            cwd=ROOT, env=os.environ | {"LOG_LEVEL": "WARNING", "ALLOW_HTTP": "1"},
        )  # fmt: skip
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return port
            except OSError:
                time.sleep(0.1)

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def generate(port: int, token: str, *, size: int, seconds: float) -> dict[str, float]:
    """Calls from a process of its own; a first second warms everything and does not count."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=run_generator, args=(queue, port, token, size, seconds))
    process.start()
    found = queue.get(timeout=seconds + 120)
    process.join()
    return found


def run_generator(queue, port: int, token: str, size: int, seconds: float) -> None:
    latencies: list[float] = []
    start = time.perf_counter() + 1
    threads = [
        threading.Thread(target=call, args=(port, token, size, start, start + seconds, latencies, number))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    ordered = sorted(latencies)
    at = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in
          (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}  # fmt: skip
    queue.put({
        "events_per_second": round(len(latencies) * size / taken),
        **{f"{name}_ms": round(1000 * value, 1) for name, value in at.items()},
        "generator_cpu_share": round((used.ru_utime + used.ru_stime) / (taken + 1), 2),
    })  # fmt: skip


def call(port: int, token: str, size: int, start: float, end: float, latencies: list[float], me: int) -> None:
    """One kept connection. Only messageIds differ between calls: the generator is to cost little."""
    number = 0
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        mark = "@" * 24
        text = bodies(size, me, mark)
        head = (
            f"POST /v1/{'track' if size == 1 else 'batch'} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n"
        )
        while (now := time.perf_counter()) < end:
            number += 1
            line.sendall((head + text.replace(mark, f"{me:04}{secrets.token_hex(4)}{number:012}")).encode())
            answer = line.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200") or b'"errors"' in answer:
                raise SystemExit(answer.decode())
            if now >= start:
                latencies.append(time.perf_counter() - now)


def bodies(size: int, me: int, mark: str) -> str:
    messages = [
        {
            "type": "track", "userId": f"c{(me * 1000 + n) * 7919 % 10_000}", "event": "Product Viewed",
            "messageId": f"{mark}-{n}", "timestamp": "2026-01-02T03:04:05.000Z",
            "properties": {"product_id": f"p{n}", "price": 4.5}, "context": {"locale": "en-GB"},
        }
        for n in range(size)
    ]  # fmt: skip
    return json.dumps(messages[0] if size == 1 else {"batch": messages})


if __name__ == "__main__":
    main()
