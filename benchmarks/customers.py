"""Finding a customer while one types, and one page of a long history.

    python benchmarks/customers.py [--quick] [--save]

1,000,000 customers, with --quick 100,000, in a database of its own that is created and dropped here. Each
name and address is typed letter by letter; every keystroke is one search of ten. The timeline is of a
customer with 10,000 events, beside one with 100: the ratio of the two times.
"""

import os
import random
import secrets
import time
from datetime import UTC, datetime

import numpy as np
import psycopg
from _run import parse_args, report, setup_django

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FIRST = [
    "Ada",
    "Alan",
    "Anna",
    "Bob",
    "Carla",
    "Chen",
    "Dana",
    "Emma",
    "Eve",
    "Grace",
    "Hugo",
    "John",
    "Li",
    "Wei",
]
FILL = """
SELECT setseed(0.42);
INSERT INTO customers_customer (id, external_id, email, phone, first_name, last_name, language, country,
  city, time_zone, traits, created_at, updated_at)
SELECT i, 'c' || i, 'user' || md5(i::text) || '@example.com', '', (%(first)s::text[])[1 + i %% %(names)s],
  initcap(substr(md5((i %% 50000)::text), 1, 8)), 'en', 'GB', '', '', '{}', %(now)s, %(now)s
FROM generate_series(1, %(customers)s) i;
INSERT INTO events_event (customer_id, message_key, name, item_id, value, properties, context, occurred_at,
  received_at)
SELECT CASE WHEN i <= 100 THEN 1 ELSE 2 END, md5(i::text)::uuid, 'Page Viewed', NULL, NULL, '{}', '{}',
  %(now)s - i * interval '1 minute', %(now)s
FROM generate_series(1, 10100) i;
"""


def main() -> None:
    args = parse_args(__doc__)
    customers = 100_000 if args.quick else 1_000_000
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"bench_customers_{secrets.token_hex(4)}"
    admin = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = f"{server}/{name}"
    try:
        measure(args, customers)
    finally:
        from django.db import connections

        connections.close_all()
        admin.execute(f"DROP DATABASE {name}")


def measure(args, customers: int) -> None:
    setup_django()
    from django.core.management import call_command
    from django.db import connection

    from personalization.customers.search import search
    from personalization.customers.timeline import read_timeline

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"first": FIRST, "names": len(FIRST), "customers": customers, "now": NOW})
        cursor.execute("VACUUM ANALYZE customers_customer, events_event")
    times = [took(lambda words=words: search(words, limit=10)) for words in keystrokes(customers)]
    p50, p95, worst = (float(v) for v in np.percentile(times, [50, 95, 100]))
    pages = {
        pk: float(np.median([took(lambda pk=pk: read_timeline(pk, limit=50)) for _ in range(30)]))
        for pk in (1, 2)
    }
    figures = {
        "customers": customers,
        "keystrokes": len(times),
        "search_p50_ms": round(p50, 2),
        "search_p95_ms": round(p95, 2),
        "search_worst_ms": round(worst, 2),
        "timeline_100_events_ms": round(pages[1], 2),
        "timeline_10000_events_ms": round(pages[2], 2),
    }
    for name, value in figures.items():
        print(f"{name:28} {value:>12,}")
    report("customers", figures, {"timeline_10000_to_100": round(pages[2] / pages[1], 2)}, args=args)


def took(call) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def keystrokes(customers: int) -> list[str]:
    """What stands in the box after each letter: names, two words, addresses, ids, and what nobody has."""
    rng = random.Random(1)
    typed = [*FIRST[:8], "Li ab", "Anna 0c", "John deadbeef", "nobody at all", "userffff"]
    typed += [f"c{rng.randrange(customers)}" for _ in range(5)]
    return [whole[:end] for whole in typed for end in range(1, len(whole) + 1)]


if __name__ == "__main__":
    main()
