"""Events per second over HTTP and by file, beside a bare COPY in the same run, and how it grows.

    python benchmarks/ingest.py [--quick] [--save]

granian on 127.0.0.1 as the image starts it, 32 real sockets kept open by a generator in a process of its
own, whose CPU is counted apart. Calls that wait at the same time are written together. Every call is
answered after the commit, every event is deduplicated. Measured with 1,000,000 and again with 10,000,000
stored events (--quick: 100,000 and 300,000). Beside it, by the same generator, a server that only reads the
call. `cpu_us_per_event` is the processor time of our server and of PostgreSQL: what others do on the
machine touches it least.
"""

import io
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import psycopg
from _ingest_load import generate
from _run import ROOT, parse_args, report, setup_django, timed
from load import bare_copy, write_events

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
    with Server("_bare_server:application") as bare:
        limits = {name: bare.measure(token, size=size, seconds=seconds) for name, size in SIZES.items()}
    figures |= {
        f"bare_server_{name}_events_per_second": found["events_per_second"] for name, found in limits.items()
    }
    with Server("personalization.config.web:application") as server:
        server.measure(token, size=100, seconds=seconds)  # connects and compiles
        rates = {}
        for name, size in SIZES.items():
            found = server.measure(token, size=size, seconds=seconds)
            rates[name] = found["events_per_second"]
            figures |= {f"{name}_{key}": value for key, value in found.items()}
            ratios[f"{name}_to_bare_copy"] = rates[name] / (rows / bare_seconds)
            ratios[f"{name}_to_bare_server"] = rates[name] / limits[name]["events_per_second"]
        fill(large)
        found = server.measure(token, size=100, seconds=seconds)
        figures |= {f"batch_of_100_at_{large}_{key}": value for key, value in found.items()}
    ratios[f"batch_of_100_at_{large}_to_{small}"] = found["events_per_second"] / rates["batch_of_100"]
    with psycopg.connect(os.environ["DATABASE_URL"]) as asked:
        figures["fsync"] = asked.execute("SHOW fsync").fetchone()[0]
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
    def __init__(self, application: str) -> None:
        self._application = application

    def __enter__(self) -> "Server":
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        path = f"{ROOT}:{ROOT / 'benchmarks'}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
             "--port", str(self.port),
             "--workers", "2", "--blocking-threads", "16", "--log-level", "warning", self._application],
            cwd=ROOT, env=os.environ | {"LOG_LEVEL": "WARNING", "ALLOW_HTTP": "1", "PYTHONPATH": path,
                 "DATABASE_CONN_MAX_AGE": "600"},
        )  # fmt: skip
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.1)

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def measure(self, token: str, *, size: int, seconds: float) -> dict[str, Any]:
        before = self._cpu_seconds()
        found = generate(self.port, token, size=size, seconds=seconds)
        used = sum(now - before.get(pid, 0.0) for pid, now in self._cpu_seconds().items())
        return {"cpu_us_per_event": round(1e6 * used / found.pop("sent"), 1), **found}

    def _cpu_seconds(self) -> dict[int, float]:
        """By process: the server's, and those of PostgreSQL that speak with clients. One that has gone
        meanwhile, after a load, is not there the second time and counts for nothing."""
        parent = self.process.pid
        workers = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend'"
            )
            return {pid: cpu_seconds_of(pid) for pid in [*map(int, workers), *(row[0] for row in rows)]}


def cpu_seconds_of(pid: int) -> float:
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
