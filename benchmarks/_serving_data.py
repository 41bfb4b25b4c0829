"""A made shop for the serving benchmark: customers, a catalog with categories, brands and stock, events."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

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
