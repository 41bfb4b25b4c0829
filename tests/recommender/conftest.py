"""A small shop with two tastes: even customers like even items, odd customers odd ones."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.core.cache import cache

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_models(tmp_path, settings):
    settings.MODEL_DIR = tmp_path / "models"
    return settings.MODEL_DIR


@pytest.fixture
def shop(db):
    """120 customers, 30 items (external ids c0…, i0…), 100 days of views and order lines by taste."""
    cache.delete("recommender.popular")
    customers = Customer.objects.bulk_create(
        [Customer(external_id=f"c{n}", email=f"c{n}@shop.example", created_at=START) for n in range(120)]
    )
    items = Item.objects.bulk_create(
        [Item(external_id=f"i{n}", name=f"Item {n}", price=Decimal(n + 1)) for n in range(30)]
    )
    random = np.random.default_rng(7)
    events = []
    for n, customer in enumerate(customers):
        liked = [item for at, item in enumerate(items) if at % 2 == n % 2]
        order = random.permutation(len(liked))[:10]
        for place, at in enumerate(order):
            when = START + timedelta(days=10 * place, seconds=n)
            name = "Order Line" if place % 2 == 0 else "Product Viewed"
            events.append(NewEvent(customer.pk, f"e{n}-{place}", name, when, item_id=liked[at].pk))
    record_events(events)
    return customers, items
