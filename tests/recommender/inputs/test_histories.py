from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from personalization.events.services import NewEvent, record_events
from recommender.inputs import histories as module
from recommender.inputs.event_columns import HISTORIES_QUERY, HISTORY_QUERY
from recommender.inputs.histories import load_histories
from recommender.inputs.moment import Moment

pytestmark = pytest.mark.django_db
WEIGHTS = {"Order Line": 1.0, "Product Viewed": 0.1}


def of_row(histories, row):
    return [
        (int(item), float(weight))
        for user, item, weight in zip(histories.users, histories.items, histories.weights, strict=True)
        if user == row
    ]


def test_rows_are_in_the_order_of_the_question(shop):
    customers, _ = shop
    found = load_histories([customers[7].pk, -5, customers[2].pk, customers[7].pk], event_weights=WEIGHTS)
    assert found.customers.tolist() == [customers[7].pk, -5, customers[2].pk]
    assert [len(of_row(found, row)) for row in range(3)] == [10, 0, 10]
    assert sorted(found.bought_users.tolist()) == [0] * 5 + [2] * 5


def test_an_event_of_a_second_ago_counts_and_one_without_weight_only_as_bought(shop):
    customers, items = shop
    now = timezone.now().replace(microsecond=0) - timedelta(seconds=1)
    record_events([NewEvent(customers[0].pk, "z", "Order Line", now, item_id=items[1].pk)])
    found = load_histories([customers[0].pk], event_weights={"Order Line": 2.0})
    assert (items[1].pk, 2.0) in of_row(found, 0)
    assert int(now.timestamp()) in found.times.tolist()
    looks = load_histories([customers[0].pk], event_weights={"Product Viewed": 0.1})
    assert {weight for _, weight in of_row(looks, 0)} == {0.1}
    assert items[1].pk in looks.bought_items


def test_every_event_is_an_entry_of_its_own(shop):
    customers, items = shop
    now = timezone.now().replace(microsecond=0)
    names = {"Order Line": 3, "Product Viewed": 2, "Refunded": 1}
    record_events(
        [
            NewEvent(customers[0].pk, name, name, now - timedelta(days=days), item_id=items[1].pk)
            for name, days in names.items()
        ]
    )
    found = load_histories([customers[0].pk], event_weights=WEIGHTS)
    mine = found.items == items[1].pk
    assert sorted(found.weights[mine].tolist()) == [0.1, 1.0]
    days_ago = (now.timestamp() - found.times[mine]) / 86_400
    assert sorted(days_ago.tolist()) == [2, 3]


def test_of_ratings_the_rating_is_the_history_and_counts_as_had(shop):
    customers, items = shop
    when = timezone.now()
    record_events(
        [
            NewEvent(
                customers[0].pk, "r", "Product Rated", when, item_id=items[1].pk, properties={"rating": 4}
            )
        ]
    )  # fmt: skip
    found = load_histories([customers[0].pk, customers[1].pk], event_weights=WEIGHTS, of_ratings=True)
    assert of_row(found, 0) == [(items[1].pk, 4.0)] and of_row(found, 1) == []
    assert items[1].pk in found.bought_items[found.bought_users == 0]
    assert len(found.bought_items) == 11


def test_the_moment_is_the_newest_part_of_everybodys_history(shop):
    customers, items = shop
    at = timezone.now()
    moment = Moment(current_item=items[3].pk, cart=(items[1].pk, items[3].pk, items[5].pk), at=at)
    found = load_histories([customers[0].pk, customers[1].pk], event_weights=WEIGHTS)
    with_it = found.at(moment, weight=1.0)
    for row in (0, 1):
        newest = of_row(with_it, row)[len(of_row(found, row)) :]
        assert newest == [(items[place].pk, 1.0) for place in (1, 5, 3)]
    assert with_it.times.max() == int(at.timestamp())
    assert with_it.bought_items.tolist() == found.bought_items.tolist()
    assert found.at(Moment(), weight=1.0) is found


@pytest.mark.parametrize("of_ratings", [False, True])
def test_a_few_are_read_as_many_are(shop, monkeypatch, of_ratings):
    customers, items = shop
    rating = {"rating": 4.5}
    now = timezone.now().replace(microsecond=0)
    record_events(
        [NewEvent(customers[0].pk, "r", "Product Rated", now, item_id=items[1].pk, properties=rating)]
    )
    asked = [customers[3].pk, customers[0].pk, -5]
    few = load_histories(asked, event_weights=WEIGHTS, of_ratings=of_ratings)
    monkeypatch.setattr(module, "FEW_CUSTOMERS", 0)
    many = load_histories(asked, event_weights=WEIGHTS, of_ratings=of_ratings)
    assert few.customers.tolist() == many.customers.tolist() == asked
    for names in (("users", "items", "weights", "times"), ("bought_users", "bought_items")):
        # Events come in whatever order the plan reads them.
        mine, theirs = ([getattr(found, name) for name in names] for found in (few, many))
        assert [column.dtype for column in mine] == [column.dtype for column in theirs]
        assert sorted(zip(*mine, strict=True)) == sorted(zip(*theirs, strict=True))
    assert len(few.items)


def test_events_of_many_are_never_read_with_parallel_workers(shop):
    customers, _ = shop
    asked = {"names": list(WEIGHTS), "until": None, "customers": [one.pk for one in customers]}
    with connection.cursor() as cursor:
        for name in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
            cursor.execute(f"SET LOCAL {name} = 0")
        for name in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"):
            cursor.execute(f"SET LOCAL {name} = off")  # whatever the statistics of so small a table say
        plans = []
        for query in (HISTORY_QUERY, HISTORIES_QUERY):
            cursor.execute(f"EXPLAIN {query}", asked)
            lines = [line for (line,) in cursor.fetchall()]
            plans.append(any("Parallel" in line and "events_event" in line for line in lines))
    assert plans == [True, False], "left to itself PostgreSQL would"
