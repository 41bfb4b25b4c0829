from datetime import UTC, datetime
from decimal import Decimal

import pytest

from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_same_message_is_written_once_per_customer():
    ada = Customer.objects.create(external_id="ada", created_at=NOW)
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    order = NewEvent(ada.pk, "m1", "Order Completed", NOW, value=Decimal("12.34"), properties={"n": 1})
    assert record_events([order, order, NewEvent(bob.pk, "m1", "Order Completed", NOW)]) == 2
    assert record_events([order]) == 0
    stored = Event.objects.get(customer=ada)
    assert (stored.value, stored.properties, stored.occurred_at) == (Decimal("12.34"), {"n": 1}, NOW)


def test_events_of_erased_customers_are_dropped():
    assert record_events([NewEvent(987654321, "m1", "Order Completed", NOW)]) == 0
    assert record_events([]) == 0
