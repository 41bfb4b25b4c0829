"""Segment counts beside the SQL one would write by hand for the same question, on the same rows.

    python benchmarks/segments.py [--quick] [--save]

1,000,000 customers and 10,000,000 events, with --quick 100,000 and 1,000,000, in a database of its own that
is created and dropped here. Ratios are our time divided by the time of the hand-written SQL; both must find
the same number. Besides: what the builder asks while one edits (count and sample), and how long after an
event its customer is in the segment, with a tick every two seconds.
"""

import os
import random
import secrets
import statistics
import threading
import time
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
LEFT = {"sequence": [{"event": "View"}, {"event": "Order"}], "within_days": 7, "window": {"last_days": 14}}
LEFT_SQL = """
SELECT count(DISTINCT seen.customer_id) FROM events_event seen WHERE seen.name = 'View'
  AND seen.occurred_at >= %(d14)s AND seen.occurred_at < %(now)s AND EXISTS (
    SELECT 1 FROM events_event bought WHERE bought.customer_id = seen.customer_id AND bought.name = 'Order'
      AND bought.occurred_at > seen.occurred_at AND bought.occurred_at < %(now)s
      AND bought.occurred_at <= seen.occurred_at + interval '7 days')
"""
PREVIEWS = [
    OFTEN,
    WORTHY,
    LEFT,
    {"not": OFTEN},
    {"event": "Order", "op": "distinct", "of": "day", "is": "at_least", "value": 2,
     "window": {"last_days": 60}},
    {"event": "Order", "op": "average", "is": "more_than", "value": 60, "window": {"last_days": 90}},
    {"event": "Order", "op": "last", "is": "more_than_days_ago", "value": 90},
    {"event": "Order", "op": "sum", "is": "top_percent", "value": 10, "window": {"last_days": 90}},
    {"trait": "plan", "op": "in", "value": ["gold", "silver"]},
    {"any": [{"event": "Order", "is": "at_least", "value": 1, "window": {"last_days": 7}},
             {"trait": "plan", "op": "is", "value": "gold"}]},
]  # fmt: skip
WATCHED = [OFTEN, WORTHY, PREVIEWS[3], PREVIEWS[5]]
TICK_SECONDS = 2.0
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

QUESTIONS = (("often", OFTEN, OFTEN_SQL), ("worthy", WORTHY, WORTHY_SQL), ("left", LEFT, LEFT_SQL))
SAID = {"often": "three_orders_in_30_days", "worthy": "spent_over_200_silent_for_14_days_with_a_trait",
        "left": "viewed_then_bought_within_7_days"}  # fmt: skip


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
        filled = timed(lambda: fill(cursor, places))
        cursor.execute("VACUUM ANALYZE")

    def by_hand(sql: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql, places)
            return cursor.fetchone()[0]

    def ours(definition: dict) -> int:
        with selectors.time_limit(60):  # as the API and the builder count: with room to hash customers
            return selectors.count(definition, now=NOW)

    figures: dict[str, object] = {"customers": customers, "events": events, "fill_seconds": round(filled, 1)}
    ratios = {}
    for question, definition, sql in QUESTIONS:
        number = ours(definition)
        if number != by_hand(sql):
            raise SystemExit(f"{question}: ours and the hand-written SQL disagree")
        seconds = in_turn({"ours": lambda d=definition: ours(d), "sql": lambda s=sql: by_hand(s)}, rounds=5)
        figures |= {f"{question}_count": number}
        figures |= {f"{question}_{who}_seconds": round(value, 4) for who, value in seconds.items()}
        ratios[f"{SAID[question]}_time_to_hand_written_sql"] = seconds["ours"] / seconds["sql"]
    figures |= preview()
    figures |= follow(customers)
    report("segments", figures, ratios, args=args, packages=("psycopg",))


def fill(cursor, places: dict[str, object]) -> None:
    """Indexes are made after the rows, which is several times faster."""
    cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events_event'"
                   " AND indexname NOT LIKE '%%pkey'")  # fmt: skip
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    cursor.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'events_event'::regclass AND contype = 'p'"
    )
    (key,) = cursor.fetchone()
    cursor.execute(f"ALTER TABLE events_event DROP CONSTRAINT {key}")
    cursor.execute(FILL, places)
    cursor.execute("SET maintenance_work_mem = '512MB'")
    cursor.execute(f"ALTER TABLE events_event ADD CONSTRAINT {key} PRIMARY KEY (customer_id, message_key)")
    for _, definition in indexes:
        cursor.execute(definition)


def preview() -> dict[str, object]:
    """What one waits for while editing: a count, or an estimate, and five of them; then the exact count of
    those that were estimated. Every estimate must be within three margins of it."""
    from personalization.segments import previews

    seconds, exact, estimated = [], [], 0
    for _ in range(4):
        for definition in PREVIEWS:
            seen: list[previews.Preview] = []
            seconds.append(timed(lambda d=definition, s=seen: s.append(previews.quick_preview(d, now=NOW))))
            if seen[0].margin is None:
                continue
            estimated += 1
            exact.append(timed(lambda d=definition, s=seen: s.append(previews.preview(d, now=NOW))))
            if abs(seen[1].count - seen[0].count) > 3 * max(seen[0].margin, 100):
                raise SystemExit(f"an estimate is off: {seen[0].count} for {seen[1].count}")
    return {
        "preview_p50_seconds": round(statistics.median(seconds), 3),
        "preview_p95_seconds": round(statistics.quantiles(seconds, n=20)[-1], 3),
        "preview_estimated_share": round(estimated / len(seconds), 3),
        "preview_exact_after_estimate_max_seconds": round(max(exact, default=0), 3),
    }


def follow(customers: int) -> dict[str, object]:
    """Seconds from the commit of an event to the membership it brings, ticking as the worker does."""
    from personalization.events.services import NewEvent, record_events
    from personalization.segments import membership, services
    from personalization.segments.models import SegmentMembership

    def now() -> datetime:
        return datetime.now(UTC)

    watched = [
        services.save_segment(None, name=f"watched {place}", definition=definition).segment
        for place, definition in enumerate([{"event": "Signed", "is": "at_least", "value": 1}, *WATCHED])
    ]
    first = timed(lambda: membership.refresh_all(now=now()))
    draw = random.Random(7)
    ended, written = threading.Event(), {}

    def write() -> None:
        from django.db import connection

        for place in range(12):
            time.sleep(draw.uniform(0.2, 2.0))
            customer = draw.randrange(1, customers)
            record_events([NewEvent(customer, f"signed-{place}", "Signed", now())])
            written.setdefault(customer, time.monotonic())
        connection.close()
        ended.set()

    threading.Thread(target=write).start()
    waited, ticks = {}, []
    while not ended.is_set() or len(waited) < len(written):
        ticks.append(timed(lambda: membership.refresh_all(now=now())))
        seen = set(SegmentMembership.objects.filter(segment=watched[0]).values_list("customer_id", flat=True))
        for customer in seen & written.keys() - waited.keys():
            waited[customer] = time.monotonic() - written[customer]
        time.sleep(max(TICK_SECONDS - ticks[-1], 0))
    return {
        "memberships_of_5_segments_first_pass_seconds": round(first, 1),
        "membership_tick_p50_seconds": round(statistics.median(ticks), 3),
        "membership_after_event_max_seconds": round(max(waited.values()), 2),
    }


if __name__ == "__main__":
    main()
