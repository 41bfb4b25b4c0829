"""`manage.py load` beside a bare COPY of the same rows into a table of the same shape, with the same indexes.

    python benchmarks/load.py [--quick] [--save]

1,000,000 customers from CSV and 1,000,000 events from Parquet, with --quick 100,000 each, in a database of
its own that is created and dropped here. Ratios are our rows per second divided by those of the bare COPY,
which reads rows that are already in PostgreSQL's own format, knows all ids and checks nothing. Besides: what
memory a load takes, and what one of ten times the rows.
"""

import csv
import io
import os
import random
import secrets
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from _run import parse_args, peak_mib, report, restart_peak, setup_django, timed

START = datetime(2025, 1, 1, tzinfo=UTC)


def main() -> None:
    args = parse_args(__doc__)
    rows = 100_000 if args.quick else 1_000_000
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"bench_load_{secrets.token_hex(4)}"
    admin = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = f"{server}/{name}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure(args, rows=rows, folder=Path(folder))
    finally:
        from django.db import connections

        connections.close_all()
        admin.execute(f"DROP DATABASE {name}")


def measure(args, *, rows: int, folder: Path) -> None:
    setup_django()
    from django.core.management import call_command

    def load(kind: str, file: Path, *options: str) -> None:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            call_command("load", kind, str(file), *options)

    call_command("migrate", verbosity=0)
    write_customers(folder / "customers.csv", rows)
    write_events(folder / "events.parquet", rows)
    seconds = {
        "customers": timed(lambda: load("customers", folder / "customers.csv")),
        "events": timed(lambda: load("events", folder / "events.parquet", "--unknown-items", "create")),
    }
    seconds["customers_again"] = timed(lambda: load("customers", folder / "customers.csv"))
    bare = {
        "customers": bare_copy("customers_customer", folder),
        "events": bare_copy("events_event", folder),
    }
    mib = {}
    for name, size in (("tenth", rows // 10), ("all", rows)):
        write_events(folder / f"{name}.parquet", size, seed=size)
        before = restart_peak()
        load("events", folder / f"{name}.parquet", "--unknown-items", "create")
        mib[name] = peak_mib() - before
    figures = {f"{name}_rows_per_second": round(rows / taken) for name, taken in seconds.items()}
    figures |= {f"bare_copy_{name}_rows_per_second": round(rows / taken) for name, taken in bare.items()}
    figures |= {f"events_mib_of_{name}_rows": round(more, 1) for name, more in mib.items()}
    ratios = {f"{name}_rate_to_bare_copy": taken / seconds[name] for name, taken in bare.items()}
    ratios["events_mib_for_ten_times_the_rows"] = mib["all"] / mib["tenth"]
    report("load", {"rows": rows, **figures}, ratios, args=args, packages=("psycopg", "pyarrow"))


def write_customers(path: Path, rows: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "email", "first_name", "country", "plan", "points"])
        for n in range(rows):
            plan = ("free", "silver", "gold")[n % 3]
            writer.writerow([f"c{n}", f"c{n}@example.com", f"Name {n}", "GB", plan, n % 1000])


def write_events(path: Path, rows: int, *, seed: int = 7) -> None:
    source = random.Random(seed)
    pq.write_table(
        pa.table({
            "customer_id": [f"c{source.randrange(rows // 10)}" for _ in range(rows)],
            "event": ["Order Line"] * rows,
            "timestamp": [START + timedelta(seconds=source.randrange(31_000_000)) for _ in range(rows)],
            "product_id": [f"p{source.randrange(5000)}" for _ in range(rows)],
            "value": [round(source.random() * 50, 2) for _ in range(rows)],
            "basket": [source.randrange(10**9) for _ in range(rows)],
        }),
        path,
    )  # fmt: skip


def bare_copy(table: str, folder: Path) -> float:
    """Seconds to COPY all rows of `table` into an empty table of the same shape and indexes."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        with (folder / table).open("wb") as file, connection.cursor().copy(f"COPY {table} TO STDOUT") as out:
            for block in out:
                file.write(block)
        connection.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)")
        connection.commit()

        def copy() -> None:
            source = connection.cursor().copy(f"COPY bare_{table} FROM STDIN")
            with (folder / table).open("rb") as file, source as into:
                while block := file.read(1 << 20):
                    into.write(block)
            connection.commit()

        return timed(copy)


if __name__ == "__main__":
    main()
