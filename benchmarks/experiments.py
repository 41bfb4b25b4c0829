"""A first analysis, one more day, and our comparisons beside gbstats and spotify-confidence.

    python benchmarks/experiments.py [--quick] [--save]

20 metrics, 3 variants, 30 days, 1,000,000 customers and 10,000,000 events; with --quick a fiftieth of them.
The data are made and copied in, in a database of its own that is dropped here. The peers are measured on the
same sums when they are installed.
"""

import json
import os
import secrets
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import psycopg
from _run import parse_args, peak_mib, report, restart_peak, setup_django, timed

START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 30
NAMES = ["Order Completed", "Product Added", "Message Clicked", "Product Viewed", "Wishlist Added"]
# How many of 100 events carry which name: views are many, orders few.
SHARES = [8, 17, 10, 55, 10]
KINDS = ["conversion", "count", "revenue", "retention"]


def main() -> None:
    args = parse_args(__doc__)
    customers, events = (20_000, 200_000) if args.quick else (1_000_000, 10_000_000)
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"bench_experiments_{secrets.token_hex(4)}"
    admin = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = f"{server}/{name}"
    try:
        measure(args, customers, events)
    finally:
        from django.db import connections

        connections.close_all()
        admin.execute(f"DROP DATABASE {name}")


def copy_rows(cursor, customers: int, events: int, first_day: int, days: int, seed: int) -> None:
    """Events in the order of time, as they come; about one in 300 customers' events is made by nobody."""
    import numpy as np

    rng = np.random.default_rng(seed)
    head = "customer_id, message_key, name, value, properties, context, occurred_at, received_at"
    per_day, copied = events // DAYS, 0
    for day in range(first_day, first_day + days):
        at = np.sort(rng.random(per_day)) * 86_400
        who = 1 + (rng.random(per_day) ** 1.3 * customers).astype(int)
        what = rng.choice(len(NAMES), per_day, p=np.array(SHARES) / 100)
        value = np.round(rng.lognormal(3.2, 0.9, per_day), 2)
        base = np.datetime64((START + timedelta(days=day)).replace(tzinfo=None), "us")
        moments = np.datetime_as_string(base + (at * 1e6).astype("timedelta64[us]"))
        rows = zip(moments.tolist(), who.tolist(), what.tolist(), value.tolist(), strict=True)
        with cursor.copy(f"COPY events_event ({head}) FROM STDIN") as copy:
            while part := list(islice(rows, 20_000)):
                copy.write("".join(lines(day, part, copied)))
                copied += len(part)


def lines(day: int, part: list, begin: int):
    for number, (moment, customer, name, amount) in enumerate(part, begin):
        money = amount if name == 0 else "\\N"
        key = f"{day:08x}{number:024x}"
        yield f"{customer}\t{key}\t{NAMES[name]}\t{money}\t{{}}\t{{}}\t{moment}Z\t{moment}Z\n"


def fill(cursor, customers: int, events: int) -> None:
    from experiments.models import Experiment, Metric
    from experiments.services import VariantSpec, create_experiment

    specs = [VariantSpec(key, key, 1, is_control=key == "none") for key in ("none", "a", "b")]
    experiment: Experiment = create_experiment(key="bench", name="Bench", variants=specs)
    with cursor.copy(
        "COPY customers_customer (id, external_id, email, phone, first_name, last_name, language, country,"
        " city, time_zone, traits, created_at, updated_at) FROM STDIN"
    ) as copy:
        moment = START.isoformat()
        for number in range(1, customers + 1):
            copy.write(f"{number}\tc{number}\t\t\t\t\ten\tGB\t\t\t{{}}\t{moment}\t{moment}\n")
    ids = list(experiment.variants.order_by("position").values_list("pk", flat=True))
    with cursor.copy(
        "COPY experiments_assignment (experiment_id, customer_id, variant_id, propensity, assigned_at)"
        " FROM STDIN"
    ) as copy:
        for number in range(1, customers + 1):
            copy.write_row((experiment.pk, number, ids[number * 7 % 3], 1 / 3, START))
    copy_rows(cursor, customers, events, 0, DAYS, seed=1)
    cursor.execute("VACUUM ANALYZE")
    Metric.objects.all().delete()
    for position in range(20):
        kind = KINDS[position % 4]
        Metric.objects.create(
            key=f"m{position}", name=f"m{position}", kind=kind, position=position,
            event=NAMES[0] if kind == "revenue" else NAMES[position % len(NAMES)],
            window_days=31 + position // 4, from_day=7 if kind == "retention" else 0,
            role="primary" if position == 2 else "secondary",
        )  # fmt: skip


def measure(args, customers: int, events: int) -> None:
    setup_django()
    from django.core.management import call_command
    from django.db import connection

    from experiments.models import Analysis, Experiment, Metric
    from experiments.reports.findings import as_document, read_findings
    from experiments.selectors import newest_report

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        filled = timed(lambda: fill(cursor, customers, events))
    experiment, metrics = Experiment.objects.get(), list(Metric.objects.all())
    row = Analysis.objects.create(experiment=experiment)

    def analyse(day: float) -> None:
        """What the worker does."""
        now = START + timedelta(days=day)
        found = read_findings(experiment, metrics, now=now)
        Analysis.objects.filter(pk=row.pk).update(result=as_document(found), as_of=now)

    first = timed(lambda: analyse(DAYS + 0.05))
    read, grown = web_process(lambda: newest_report(experiment))
    with connection.cursor() as cursor:
        copy_rows(cursor, customers, events, DAYS, 1, seed=2)
        cursor.execute("ANALYZE events_event")
    second = timed(lambda: analyse(DAYS + 1.05))
    again = timed(lambda: analyse(DAYS + 1.06))
    figures: dict[str, object] = {
        "customers": customers, "events": events, "metrics": len(metrics), "variants": 3, "days": DAYS,
        "fill_seconds": round(filled, 1), "first_seconds": round(first, 2),
        "one_more_day_seconds": round(second, 2), "nothing_new_seconds": round(again, 2),
        "report_from_stored_seconds": round(read, 2), "web_memory_growth_mib": round(grown, 1),
        "load_average": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    ratios = {"first_over_one_more_day": first / second}
    ours, peers = beside_peers()
    figures |= ours
    ratios |= peers
    report(
        "experiments", figures, ratios, args=args,
        packages=("numpy", "scipy"),
    )  # fmt: skip


def web_process(read) -> tuple[float, float]:
    """Seconds of one report, and MiB that ten more need beyond what the first has left loaded."""
    timed(read)
    seconds = timed(read)
    before = restart_peak()
    for _ in range(10):
        read()
    return seconds, peak_mib() - before


def beside_peers() -> tuple[dict[str, object], dict[str, float]]:
    """In a Python of their own, because the peers want an older numpy; nothing without it."""
    python = os.environ.get("PEERS_PYTHON")
    if not python:
        return {"peers": "not installed"}, {}
    script = Path(__file__).with_name("_experiment_peers.py")
    answer = subprocess.run([python, script], capture_output=True, text=True, check=True)
    found = json.loads(answer.stdout.splitlines()[-1])
    return found["figures"], found["ratios"]


if __name__ == "__main__":
    main()
