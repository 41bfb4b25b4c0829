"""Every page of the product, opened by an administrator of a large shop.

    python benchmarks/pages.py [--quick] [--customers N] [--save]

1,000,000 customers with ten events each, with --quick 20,000, or as many as asked for; every customer besides
with a consent, a delivery, a place in a segment and a way through a journey; in a database of its own that is
created and dropped here. Each mounted address is asked for several times through Django: what is measured is
the answer, without the network. The first time counts, too, on an empty cache.
"""

import statistics
import time
from typing import Any

from _run import parse_args, report
from _sending import own_database

GOAL_MS = 300
TIMES = 8
# What is no page: documents, feeds of live parts are measured, assets are not.
NOT_OURS = ("api/", "static/", "media/", "admin/jsi18n", "admin/logout", "i18n/", "v1/", "metrics", "sdk")


def main() -> None:
    def add(parser: Any) -> None:
        parser.add_argument("--customers", type=int, default=0, help="another number of customers")

    args = parse_args(__doc__, add=add)
    customers = args.customers or (20_000 if args.quick else 1_000_000)
    with own_database("pages"):
        fill(customers)
        rows = measure()
    slowest = sorted(rows, key=lambda row: -row["p95_ms"])
    for row in slowest[:25]:
        print(
            "{p95_ms:9.1f} {p50_ms:9.1f} {statements:5d}  {page}\n{slowest_ms:27.1f}  {slowest_sql}".format(
                **row
            )
        )
    every = [ms for row in rows for ms in row["all"]]
    figures = {
        "customers": customers,
        "events": 10 * customers,
        "pages": len(rows),
        "pages_over_300_ms": sum(row["p95_ms"] > GOAL_MS for row in rows),
        "p95_ms_of_all_answers": round(statistics.quantiles(every, n=20)[-1], 1),
        "slowest": [
            {key: row[key] for key in ("page", "p50_ms", "p95_ms", "statements")} for row in slowest[:10]
        ],
    }  # fmt: skip
    report("pages", figures, {"slowest_page_to_goal": slowest[0]["p95_ms"] / GOAL_MS}, args=args)


def fill(customers: int) -> None:
    """One row of everything that leads to a customer, as the tests of pages make it; then many of some."""
    from django.db import connection
    from django.utils import timezone
    from segments import fill as fill_events

    from campaigns.models import Delivery, Passage, PassageStep
    from personalization.customers.models import Consent, Customer
    from personalization.segments.models import SegmentMembership
    from tests.access.test_role_matrix import CUSTOMER_ID
    from tests.privacy.making import NUMBER, make_rows

    with connection.cursor() as cursor:
        fill_events(cursor, {"now": timezone.now(), "customers": customers, "events": 10 * customers})
    Customer.objects.filter(pk=NUMBER).update(external_id=CUSTOMER_ID, email="ada@mail.example")
    make_rows(Customer.objects.get(pk=NUMBER), "made", numbered=True)
    for model, other in (
        (Consent, {}), (Delivery, {}), (SegmentMembership, {}), (Passage, {}),
        (PassageStep, {"passage_id": "i"}),
    ):  # fmt: skip
        multiply(model, customers, other)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def multiply(model: Any, customers: int, other: dict[str, str]) -> None:
    """The one row once more for each other customer, whose number stands in the unique columns."""
    from django.db import connection, models

    table, sets = model._meta.db_table, dict(other)
    for field in model._meta.concrete_fields:
        if field.column in sets:
            continue
        if field.column == "customer_id" or (field.primary_key and isinstance(field, models.AutoField)):
            sets[field.column] = "i"
        elif field.unique and isinstance(field, models.UUIDField):
            sets[field.column] = "md5(i::text)::uuid"
        elif field.unique and isinstance(field, models.CharField):
            sets[field.column] = "'k' || i"
    pairs = ", ".join(f"'{column}', {value}" for column, value in sets.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(r, jsonb_build_object({pairs}))).*"
            f" FROM (SELECT t FROM {table} t LIMIT 1) one (r), generate_series(2, %s) i"
            " ON CONFLICT DO NOTHING",
            [customers],
        )


def measure() -> list[dict[str, Any]]:
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client

    from campaigns.onsite.warming import warm_up
    from personalization.access.models import User
    from personalization.config.preload import preload, preload_pages
    from tests.access.test_role_matrix import routes

    # As a web process does before its first request.
    preload()
    preload_pages()
    warm_up()
    client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.create_superuser("bench", password="only for this run"))
    rows = []
    for path in routes():
        if path.startswith(NOT_OURS) or "logout" in path:
            continue
        statements: list[tuple[float, str]] = []

        def note(execute: Any, sql: Any, *rest: Any, into: list[tuple[float, str]] = statements) -> Any:
            begun = time.perf_counter()
            try:
                return execute(sql, *rest)
            finally:
                into.append((1000 * (time.perf_counter() - begun), str(sql)))

        cache.clear()
        times = []
        with connection.execute_wrapper(note):
            for _ in range(TIMES):
                begun = time.perf_counter()
                answer = client.get(f"/{path}")
                times.append(1000 * (time.perf_counter() - begun))
                if answer.status_code != 200 or times[0] > 20 * GOAL_MS:
                    break
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        slowest = max(statements, default=(0.0, ""))
        # Of eight the largest is the 95th percentile: the page on an empty cache counts.
        rows.append({
            "page": path, "p50_ms": statistics.median(times), "p95_ms": max(times), "all": times,
            "statements": len(statements) // len(times),
            "slowest_ms": slowest[0], "slowest_sql": slowest[1][:400],
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
