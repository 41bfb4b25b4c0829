"""A shop for the serving benchmark, made: customers, a catalog with categories, brands and stock, and events;
and the plain checker that every list is held against.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

TOPICS, BRANDS = 40, 25
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 90


class Made(NamedTuple):
    """Events as columns, by time: row of the customer, column of the item, seconds, and whether bought."""

    users: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.int64]
    is_bought: npt.NDArray[np.bool_]
    shape: tuple[int, int]


def make_events(n_customers: int, n_items: int, n: int, *, seed: int = 4) -> Made:
    """Everybody likes two topics and chooses within them by popularity, a fifth of the time anything. A
    tenth of the customers does nothing.
    """
    random = np.random.default_rng(seed)
    active = np.flatnonzero(random.random(n_customers) < 0.9)
    users = active[(len(active) * random.random(n) ** 1.5).astype(int)]
    likes = random.integers(0, TOPICS, (n_customers, 2))
    per_topic = n_items // TOPICS
    topic = np.where(
        random.random(n) < 0.8, likes[users, random.integers(0, 2, n)], random.integers(0, TOPICS, n)
    )
    rank = np.minimum((per_topic * random.random(n) ** 2.5).astype(int), per_topic - 1)
    seconds = np.sort(random.integers(0, DAYS * 86_400, n))
    return Made(users, rank * TOPICS + topic, seconds, random.random(n) < 0.5, (n_customers, n_items))


def categories_of(item: int) -> list[str]:
    """From broad to narrow: eight halls, the topic, and four shelves of it."""
    topic = item % TOPICS
    return [f"hall {topic % 8}", f"topic {topic}", f"topic {topic} shelf {item // TOPICS % 4}"]


def store(made: Made) -> tuple[list[int], list[int]]:
    """Writes the shop into the database; answers the ids of customers and items, in their order here."""
    from django.db import connection

    n_customers, n_items = made.shape
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO customers_customer (external_id, email, phone, first_name, last_name, language,
                   country, city, time_zone, traits, created_at, updated_at)
               SELECT 'c' || n, '', '', '', '', 'en', 'IT', 'city ' || n %% 20, '',
                      jsonb_build_object('gender', (ARRAY['f', 'm'])[1 + n %% 2]), now(), now()
               FROM generate_series(1, %s) n ORDER BY n RETURNING id""",
            [n_customers],
        )
        customers = [row[0] for row in cursor.fetchall()]
        values = [
            (
                f"i{item}",
                categories_of(item),
                f"brand {item % BRANDS}",
                1 + item % 90,
                item % 20,
                item % 17 == 3,
            )
            for item in range(n_items)
        ]
        ids, names, brands, prices, stocks, hidden = zip(*values, strict=True)
        cursor.execute(
            """INSERT INTO catalog_item (external_id, name, description, categories, brand, price, currency,
                   stock, is_hidden, url, image_url, translations, attributes, created_at, updated_at)
               SELECT id, id, '', ARRAY(SELECT jsonb_array_elements_text(names)), brand, price, 'EUR', stock,
                      hidden, '', '', '{}', '{}', now(), now()
               FROM unnest(%s::text[], %s::jsonb[], %s::text[], %s::numeric[], %s::int[], %s::bool[])
                    AS row(id, names, brand, price, stock, hidden) RETURNING id""",
            [
                list(ids),
                [json.dumps(one) for one in names],
                list(brands),
                list(prices),
                list(stocks),
                list(hidden),
            ],
        )
        items = [row[0] for row in cursor.fetchall()]
    write_events(made, customers, items, 0, len(made.users))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return customers, items


def write_events(made: Made, customers: Sequence[int], items: Sequence[int], start: int, stop: int) -> None:
    from django.db import connection

    who, what = np.array(customers), np.array(items)
    connection.ensure_connection()
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(
            "COPY events_event (customer_id, message_key, name, item_id, properties, context, occurred_at,"
            " received_at) FROM STDIN"
        ) as copy,
    ):
        for at, user, item, seconds, bought in zip(
            range(start, stop), who[made.users[start:stop]].tolist(), what[made.items[start:stop]].tolist(),
            made.seconds[start:stop].tolist(), made.is_bought[start:stop].tolist(), strict=True,
        ):  # fmt: skip
            when = (START + timedelta(seconds=seconds)).isoformat()
            name = "Order Line" if bought else "Product Viewed"
            copy.write_row((user, f"{at:032x}", name, item, "{}", "{}", when, when))


class Checker:
    """Knows the shop from its own simple queries and looks for items that should not be in a list."""

    def __init__(self) -> None:
        from personalization.catalog.models import Item
        from personalization.events.models import Event

        self.items = {row["id"]: row for row in Item.objects.values(
            "id", "categories", "brand", "price", "stock", "is_hidden"
        )}  # fmt: skip
        self.bought: dict[int, set[int]] = {}
        pairs = Event.objects.filter(name="Order Line").order_by().values_list("customer_id", "item_id")
        for customer, item in pairs.iterator(chunk_size=50_000):
            self.bought.setdefault(customer, set()).add(item)

    def leaks(
        self,
        lists: Iterable[Mapping[int, Sequence[Any]]],
        rules: Any,
        k: int,
        left_out: Mapping[int, Sequence[int]],
    ) -> Iterator[int]:
        """For each list the number of its entries that break a rule, and a missing list as one."""
        for some in lists:
            for customer, found in some.items():
                shown = [one.item_id for one in found]
                wrong = sum(not self._fits(item, customer, rules, left_out) for item in shown)
                wrong += len(shown) - len(set(shown)) + max(len(shown) - k, 0) + (not shown)
                counts = Counter(self.items[item]["categories"][-1] for item in shown)
                cap = rules.max_per_category or k
                yield wrong + sum(max(count - cap, 0) for count in counts.values())

    def _fits(self, item: int, customer: int, rules: Any, left_out: Mapping[int, Sequence[int]]) -> bool:
        row, had = self.items[item], item in self.bought.get(customer, ())
        return (
            not row["is_hidden"]
            and row["stock"] > 0
            and item not in rules.not_items
            and item not in left_out.get(customer, ())
            and (rules.bought == "allow" or had == (rules.bought == "only"))
            and (not rules.categories or bool({*rules.categories} & {*row["categories"]}))
            and not {*rules.not_categories} & {*row["categories"]}
            and (not rules.brands or row["brand"] in rules.brands)
            and (rules.price_min is None or row["price"] >= rules.price_min)
            and (rules.price_max is None or row["price"] <= rules.price_max)
        )
