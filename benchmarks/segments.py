"""Segment counts beside the SQL one would write by hand for the same question, on the same rows.

    python benchmarks/segments.py [--quick] [--save]

1,000,000 customers and 10,000,000 events, with --quick 100,000 and 1,000,000, in a database of its own that
is created and dropped here. Ratios are our time divided by the time of the hand-written SQL; both must find
the same number.
"""

import os
import secrets
from datetime import UTC, datetime, timedelta

import psycopg
from _run import in_turn, parse_args, report, setup_django, timed

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OFTEN = {"event": "Order", "is": "at_least", "value": 3, "window": {"last_days": 30}}
WORTHY = {
    "all": [
        {"event": "Order", "op": "sum", "is": "more_than", "value": 200, "window": {"last_days": 90}},
        {"not": {"event": "View", "is": "at_least", "value": 1, "window": {"last_days": 14}}},
        {"trait": "plan", "op": "is", "value": "gold"},
    ]
}
OFTEN_SQL = """
SELECT count(*) FROM (SELECT customer_id FROM events_event WHERE name = 'Order' AND occurred_at >= %(d30)s
  AND occurred_at < %(now)s GROUP BY customer_id HAVING count(*) >= 3) chosen
"""
WORTHY_SQL = """
SELECT count(*) FROM customers_customer c
JOIN (SELECT customer_id FROM events_event WHERE name = 'Order' AND occurred_at >= %(d90)s
      AND occurred_at < %(now)s GROUP BY customer_id HAVING sum(value) > 200) spent
  ON spent.customer_id = c.id
WHERE c.traits ->> 'plan' = 'gold'
  AND NOT EXISTS (SELECT 1 FROM events_event seen WHERE seen.customer_id = c.id
      AND seen.name = 'View' AND seen.occurred_at >= %(d14)s AND seen.occurred_at < %(now)s)
"""
FILL = """
SELECT setseed(0.42);
INSERT INTO customers_customer (id, external_id, email, phone, first_name, last_name, language, country,
  city, time_zone, traits, created_at, updated_at)
SELECT i, 'c' || i, '', '', '', '', 'en', 'GB', '', '',
  jsonb_build_object('plan', (ARRAY['free','silver','gold'])[1 + i %% 3]), %(now)s,
  %(now)s
FROM generate_series(1, %(customers)s) i;
INSERT INTO events_event (customer_id, message_key, name, item_id, value, properties, context, occurred_at,
  received_at)
SELECT 1 + floor(power(random(), 1.5) * %(customers)s)::bigint, md5(i::text)::uuid,
  CASE WHEN i %% 4 = 0 THEN 'Order' ELSE 'View' END, NULL, (random() * 90)::numeric(14, 2), '{}', '{}',
  %(now)s - random() * interval '365 days', %(now)s
FROM generate_series(1, %(events)s) i;
"""

SAID = {"often": "three_orders_in_30_days", "worthy": "spent_over_200_silent_for_14_days_with_a_trait"}


def main() -> None:
    args = parse_args(__doc__)
    customers, events = (100_000, 1_000_000) if args.quick else (1_000_000, 10_000_000)
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    name = f"bench_segments_{secrets.token_hex(4)}"
    admin = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    admin.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = f"{server}/{name}"
    try:
        measure(args, customers, events)
    finally:
        from django.db import connections

        connections.close_all()
        admin.execute(f"DROP DATABASE {name}")


def measure(args, customers: int, events: int) -> None:
    setup_django()
    from django.core.management import call_command
    from django.db import connection

    from personalization.segments import selectors

    call_command("migrate", verbosity=0)
    places = {"now": NOW, "customers": customers, "events": events}
    places |= {f"d{days}": NOW - timedelta(days=days) for days in (14, 30, 90)}
    with connection.cursor() as cursor:
        filled = timed(lambda: cursor.execute(FILL, places))
        cursor.execute("VACUUM ANALYZE")

    def by_hand(sql: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql, places)
            return cursor.fetchone()[0]

    def ours(definition: dict) -> int:
        return selectors.count(definition, now=NOW)

    figures: dict[str, object] = {"customers": customers, "events": events, "fill_seconds": round(filled, 1)}
    ratios = {}
    for question, definition, sql in (("often", OFTEN, OFTEN_SQL), ("worthy", WORTHY, WORTHY_SQL)):
        number = ours(definition)
        if number != by_hand(sql):
            raise SystemExit(f"{question}: ours and the hand-written SQL disagree")
        seconds = in_turn({"ours": lambda d=definition: ours(d), "sql": lambda s=sql: by_hand(s)}, rounds=5)
        figures |= {f"{question}_count": number}
        figures |= {f"{question}_{who}_seconds": round(value, 4) for who, value in seconds.items()}
        ratios[f"{SAID[question]}_time_to_hand_written_sql"] = seconds["ours"] / seconds["sql"]
    report("segments", figures, ratios, args=args, packages=("psycopg",))


if __name__ == "__main__":
    main()
