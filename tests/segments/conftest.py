"""Small worlds of customers, items and events."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.models import Event

NOW = datetime(2018, 1, 2, tzinfo=UTC)


class World:
    """Writes rows directly; events are (name, when, value, item, properties)."""

    now = NOW

    def customer(self, key: str, *, traits=None, created_at=NOW, **columns) -> Customer:
        return Customer.objects.create(external_id=key, traits=traits or {}, created_at=created_at, **columns)

    def item(self, key: str, *, categories=(), **columns) -> Item:
        return Item.objects.create(external_id=key, name=key, categories=list(categories), **columns)

    def event(self, customer, name="Order", *, at=None, value=None, item=None, **properties) -> Event:
        at = at or datetime(2018, 1, 1, tzinfo=UTC)
        return Event.objects.create(
            customer=customer, message_key=uuid.uuid4(), name=name, item=item, occurred_at=at, received_at=at,
            value=None if value is None else Decimal(str(value)), properties=properties,
        )  # fmt: skip


@pytest.fixture
def world(db) -> World:
    return World()


@pytest.fixture
def who(db):
    """The external ids that a definition selects."""
    from personalization.segments.compiler import compile_definition

    def ask(definition, now=NOW) -> set[str]:
        found = list(compile_definition(definition, now=now).values_list("external_id", flat=True))
        assert len(found) == len(set(found)), "nobody is selected twice"
        return set(found)

    return ask
