"""Writes the simulated shop into the tables of customers, catalog and events. One transaction, bulk only."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from personalization.catalog.models import Item
from personalization.customers.models import Consent, Customer
from personalization.demo import rows
from personalization.demo.behavior import Behavior, simulate_year
from personalization.demo.world import World
from personalization.events.models import Event

COPY_BYTES = 1 << 20


@dataclass(frozen=True)
class Loaded:
    customers: int
    items: int
    events: int


@transaction.atomic
def load_world(world: World, *, now: datetime) -> Loaded:
    """The year before `now`. Raises IntegrityError when the demo's ids are there already."""
    customers = Customer.objects.bulk_create(rows.customers(world, now=now), batch_size=2500)
    Consent.objects.bulk_create(rows.consents(world, customers), batch_size=2500)
    items = Item.objects.bulk_create(rows.items(world, site_url=settings.SITE_URL))
    first = now.timetuple()
    behavior = simulate_year(
        world, first_weekday=(now.weekday() - 365) % 7, first_day_of_year=(first.tm_yday - 1) % 365
    )
    customer_ids = [customer.pk for customer in customers]
    copy_events(world, behavior, customer_ids=customer_ids, item_ids=[item.pk for item in items], now=now)
    return Loaded(len(customers), len(items), len(behavior))


def copy_events(
    world: World, behavior: Behavior, *, customer_ids: list[int], item_ids: list[int], now: datetime
) -> None:
    """COPY straight into the table: the demo's ids are new, so there is nothing to compare with."""
    columns = ", ".join(rows.EVENT_COLUMNS)
    lines: list[str] = []
    size = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {Event._meta.db_table} ({columns}) FROM STDIN") as copy,
    ):
        for line in rows.event_lines(world, behavior, customer_ids=customer_ids, item_ids=item_ids, now=now):
            lines.append(line)
            size += len(line)
            if size > COPY_BYTES:
                copy.write("".join(lines))
                lines, size = [], 0
        copy.write("".join(lines))


def analyze() -> None:
    """Fresh statistics at once: the first page of a newcomer must not wait for autovacuum."""
    with connection.cursor() as cursor:
        for model in (Customer, Consent, Item, Event):
            cursor.execute(f"ANALYZE {model._meta.db_table}")
