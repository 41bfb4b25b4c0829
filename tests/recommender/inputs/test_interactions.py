from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from personalization.catalog.models import Item
from personalization.events.services import NewEvent, record_events
from recommender.inputs.histories import load_histories
from recommender.inputs.interactions import context_at, load_events, load_ratings

pytestmark = pytest.mark.django_db


def test_events_become_columns_with_the_weight_of_their_name(shop):
    customers, items = shop
    found = load_events(event_weights={"Order Line": 2.0})
    assert found.customer_ids.tolist() == [customer.pk for customer in customers]
    assert set(found.item_ids.tolist()) == {item.pk for item in items}
    assert len(found.log.users) == 600
    assert set(found.log.weights.tolist()) == {2.0}
    both = load_events()
    assert len(both.log.users) == 1200
    assert np.unique(both.log.weights).tolist() == pytest.approx([0.1, 1.0])


def test_values_are_the_rows_of_the_table(shop):
    customers, items = shop
    record_events(
        [
            NewEvent(
                customers[3].pk,
                "x",
                "Product Added",
                timezone.now().replace(microsecond=0),
                item_id=items[0].pk,
            )
        ]
    )
    found = load_events(event_weights={"Product Added": 0.3})
    assert (found.customer_ids.tolist(), found.item_ids.tolist()) == ([customers[3].pk], [items[0].pk])
    assert found.log.timestamps[0] == pytest.approx(timezone.now().timestamp(), abs=60)


def test_nothing_and_events_without_items_are_no_interactions(shop):
    customers, _ = shop
    record_events([NewEvent(customers[0].pk, "y", "Page Viewed", timezone.now())])
    assert load_events(event_weights={"Page Viewed": 1.0}).log.shape == (0, 0)


def test_many_blocks_give_the_same_as_one(shop, monkeypatch):
    whole = load_events()
    monkeypatch.setattr("recommender.inputs.event_columns.ROWS_PER_BLOCK", 7)
    again = load_events()
    for column in ("users", "items", "weights", "timestamps"):
        assert np.array_equal(getattr(whole.log, column), getattr(again.log, column))


def test_events_are_read_while_queries_are_logged_too(shop):
    """As with DEBUG: Django's logging cursor takes no parameters for COPY."""
    with CaptureQueriesContext(connection):
        assert len(load_events().log.users) > 0


def test_an_item_that_was_deleted_is_forgotten(shop):
    customers, items = shop
    Item.objects.filter(pk=items[0].pk)._raw_delete("default")  # as another program would
    assert items[0].pk not in load_events().item_ids
    histories = load_histories([customer.pk for customer in customers], event_weights={"Order Line": 1.0})
    assert items[0].pk not in histories.items and items[0].pk not in histories.bought_items


def test_context_columns_are_words_in_the_time_zone_of_the_event(shop):
    customers, items = shop
    monday = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)
    contexts = [
        {"timezone": "Asia/Tokyo", "device": {"type": "Mobile"}},  # 12:30 there
        {"timezone": "America/New_York", "device": {"type": "fridge"}},  # 22:30 on Sunday
        {"timezone": "Nowhere/Land"},
    ]
    record_events(
        [
            NewEvent(
                customers[0].pk,
                f"k{n}",
                "Seen Twice",
                monday + timedelta(seconds=n),
                item_id=items[n].pk,
                context=context,
            )
            for n, context in enumerate(contexts)
        ]
    )
    log = load_events(event_weights={"Seen Twice": 1.0}, with_context=True).log
    order = np.argsort(log.timestamps)
    assert {name: column[order].tolist() for name, column in log.context.items()} == {
        "daypart": ["afternoon", "evening", "night"],
        "weekday": ["monday", "sunday", "monday"],
        "season": ["q1", "q1", "q1"],
        "device": ["mobile", "unknown", "unknown"],
    }
    assert load_events(event_weights={"Seen Twice": 1.0}).log.context == {}


def test_the_season_is_the_quarter_where_the_event_happened(shop):
    customers, items = shop
    midnight = datetime(2026, 6, 30, 23, 0, tzinfo=UTC)
    zones = ["Asia/Tokyo", "America/New_York", "Nowhere/Land"]
    record_events(
        [
            NewEvent(
                customers[0].pk, f"s{n}", "Seen Twice", midnight + timedelta(seconds=n), item_id=items[n].pk,
                context={"timezone": zone},
            )
            for n, zone in enumerate(zones)
        ]
    )  # fmt: skip
    log = load_events(event_weights={"Seen Twice": 1.0}, with_context=True).log
    assert log.context["season"][np.argsort(log.timestamps)].tolist() == ["q3", "q2", "q2"]
    assert context_at(datetime(2026, 12, 31, 12, tzinfo=UTC))["season"] == "q4"


def test_ratings_come_from_the_property_or_the_value(shop):
    customers, items = shop
    ratings = [({"rating": 4}, None), ({"rating": "2.5"}, None), ({}, Decimal(3)), ({"rating": "good"}, None)]
    record_events(
        [
            NewEvent(
                customers[0].pk,
                f"r{n}",
                "Product Rated",
                timezone.now(),
                item_id=items[n].pk,
                value=value,
                properties=properties,
            )
            for n, (properties, value) in enumerate(ratings)
        ]
    )
    found = load_ratings()
    assert found.item_ids.tolist() == [item.pk for item in items[:3]]
    assert found.log.ratings().row(0)[1].tolist() == [4.0, 2.5, 3.0]
