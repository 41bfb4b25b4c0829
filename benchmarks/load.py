"""`manage.py load` beside a bare COPY of the same rows into a table of the same shape, with the same indexes.

    python benchmarks/load.py [--quick] [--save] [--large]

1,000,000 customers from CSV and 1,000,000 events from Parquet, with --quick 100,000 each, in a database of
its own that is created and dropped here. Ratios are our rows per second divided by those of the bare COPY,
which reads rows that are already in PostgreSQL's own format, knows all ids and checks nothing. Besides: the
most memory of a process that loads, and of one that loads ten times the rows.

--large measures something else: a file of 10,000,000 events (with --quick 1,000,000), whose load is killed in
the middle, given again, and given a third time after it was done.
"""

import csv
import io
import os
import secrets
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from _loading import load_in_process, load_until_killed
from _run import parse_args, report, setup_django, timed

START = datetime(2025, 1, 1, tzinfo=UTC)
EVENTS = pa.schema([
    ("customer_id", pa.string()), ("event", pa.string()), ("timestamp", pa.timestamp("us", "UTC")),
    ("product_id", pa.string()), ("value", pa.float64()), ("basket", pa.int64()),
])  # fmt: skip


def main() -> None:
    large = "another measurement: a file of 10,000,000 rows, killed in the middle"
    args = parse_args(
        __doc__, add=lambda parser: parser.add_argument("--large", action="store_true", help=large)
    )
    rows = (100_000 if args.quick else 1_000_000) * (10 if args.large else 1)
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"bench_load_{secrets.token_hex(4)}"
    admin = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = f"{server}/{name}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            (measure_large if args.large else measure)(args, rows=rows, folder=Path(folder))
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
        mib[name] = load_in_process(folder / f"{name}.parquet").mib
    figures = {f"{name}_rows_per_second": round(rows / taken) for name, taken in seconds.items()}
    figures |= {f"bare_copy_{name}_rows_per_second": round(rows / taken) for name, taken in bare.items()}
    figures |= {f"events_mib_of_{name}_rows": round(more, 1) for name, more in mib.items()}
    ratios = {f"{name}_rate_to_bare_copy": taken / seconds[name] for name, taken in bare.items()}
    ratios["events_mib_for_ten_times_the_rows"] = mib["all"] / mib["tenth"]
    report("load", {"rows": rows, **figures}, ratios, args=args, packages=("psycopg", "pyarrow"))


def measure_large(args, *, rows: int, folder: Path) -> None:
    """Killed after a third of the rows were durable; the times hold reading those again."""
    setup_django()
    from django.core.management import call_command

    from personalization.events.models import Event

    call_command("migrate", verbosity=0)
    file = folder / "events.parquet"
    write_events(file, rows)
    killed = load_until_killed(file, after=rows // 3)
    at_kill = Event.objects.count()
    ended = load_in_process(file)
    stored = Event.objects.count()
    again = load_in_process(file)
    figures = {
        "rows": rows, "file_mib": round(file.stat().st_size / 2**20), "stored_when_killed": at_kill,
        "stored": stored, "stored_when_loaded_again": Event.objects.count(),
        "seconds_until_killed": round(killed.seconds), "seconds_to_end": round(ended.seconds),
        "seconds_again": round(again.seconds), "mib_until_killed": round(killed.mib, 1),
        "mib_to_end": round(ended.mib, 1), "mib_again": round(again.mib, 1),
    }  # fmt: skip
    tenth = folder / "tenth.parquet"
    write_events(tenth, rows // 10, seed=11)
    figures["mib_of_a_tenth"] = round(load_in_process(tenth).mib, 1)
    ratios = {
        "stored_to_rows": stored / rows,
        "rows_twice": figures["stored_when_loaded_again"] - rows,
        "mib_for_ten_times_the_rows": ended.mib / figures["mib_of_a_tenth"],
    }
    report("load_large", figures, ratios, args=args, packages=("psycopg", "pyarrow"))


def write_customers(path: Path, rows: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "email", "first_name", "country", "plan", "points"])
        for n in range(rows):
            plan = ("free", "silver", "gold")[n % 3]
            writer.writerow([f"c{n}", f"c{n}@example.com", f"Name {n}", "GB", plan, n % 1000])


def write_events(path: Path, rows: int, *, seed: int = 7) -> None:
    """In row groups of a million at most, as pyarrow's default is; ten events a customer."""
    source = np.random.default_rng(seed)
    group = min(rows, 1_000_000)
    with pq.ParquetWriter(path, EVENTS) as writer:
        for _ in range(rows // group):
            writer.write_table(events_table(source, group, customers=rows // 10))


def events_table(source: np.random.Generator, rows: int, *, customers: int) -> pa.Table:
    def named(letter: str, most: int) -> pa.Array:
        numbers = pa.array(source.integers(0, most, rows)).cast(pa.string())
        return pc.binary_join_element_wise(pa.scalar(letter), numbers, "")

    seconds = START.timestamp() + source.integers(0, 31_000_000, rows)
    columns = {
        "customer_id": named("c", customers),
        "event": pa.array(["Order Line"] * rows),
        "timestamp": pa.array((seconds * 1_000_000).astype(np.int64)).cast(pa.timestamp("us", "UTC")),
        "product_id": named("p", 5000),
        "value": pa.array(np.round(source.random(rows) * 50, 2)),
        "basket": pa.array(source.integers(0, 10**9, rows)),
    }
    return pa.table(columns, schema=EVENTS)


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
