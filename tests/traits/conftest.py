from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.traits.models import TraitDefinition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ada(db) -> Customer:
    TraitDefinition.objects.all().delete()
    return Customer.objects.create(external_id="ada", created_at=NOW)


@pytest.fixture
def happen() -> Callable[..., None]:
    """Records an event `days_ago` days before NOW, received when it happened unless said otherwise."""
    count = 0

    def happen(
        customer, name="Order Completed", *, days_ago=0.0, value=None, item=None, received=None, **properties
    ):
        nonlocal count
        count += 1
        at = NOW - timedelta(days=days_ago)
        event = NewEvent(
            customer.pk, f"m{count}", name, at, item.pk if item else None,
            None if value is None else Decimal(str(value)), properties,
        )  # fmt: skip
        record_events([event], received_at=received or at)

    return happen


@pytest.fixture
def define() -> Callable[..., TraitDefinition]:
    def define(name: str, kind: str, **fields) -> TraitDefinition:
        return TraitDefinition.objects.create(name=name, kind=kind, **fields)

    return define
