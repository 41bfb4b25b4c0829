from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from experiments import services
from experiments.models import Assignment
from experiments.services import VariantSpec
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def make_customers(db):
    def make(n):
        return Customer.objects.bulk_create(
            Customer(external_id=f"c-{number}", created_at=START) for number in range(n)
        )

    return make


@pytest.fixture
def make_experiment(db):
    def make(**kwargs):
        specs = kwargs.pop("variants", None) or [
            VariantSpec("control", "No message", 0.5, is_control=True),
            VariantSpec("a", "Message A", 0.5),
        ]
        return services.create_experiment(
            key=kwargs.pop("key", "spring"), name="Spring", variants=specs, **kwargs
        )

    return make


@pytest.fixture
def place():
    """Puts customers into a variant by hand: the arithmetic of a report is checked without the hash."""

    def place_(experiment, variant_key, customers, at=START):
        variant = experiment.variants.get(key=variant_key)
        Assignment.objects.bulk_create(
            Assignment(
                experiment=experiment,
                customer=customer,
                variant=variant,
                propensity=variant.weight,
                assigned_at=at,
            )
            for customer in customers
        )

    return place_


@pytest.fixture
def happen(db):
    """Records an event of a customer some days after the start; received today, or `at_once`."""
    numbers = iter(range(1_000_000))

    def happen_(customer, name="Order Completed", value=None, days=1.0, at_once=False, **properties):
        event = NewEvent(
            customer_id=customer.pk,
            message_id=f"m-{next(numbers)}",
            name=name,
            occurred_at=START + timedelta(days=days),
            value=None if value is None else Decimal(value),
            properties=properties,
        )
        return record_events([event], received_at=event.occurred_at if at_once else None)

    return happen_


@pytest.fixture
def start():
    return START
