"""The past as it was, customer by customer; expected numbers are counted by hand."""

from datetime import timedelta

import pytest

from experiments.models import Metric
from experiments.outlooks.history import load_history
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from tests.experiments.conftest import START

pytestmark = pytest.mark.django_db


def order(customer, day, value, name="Order Completed", **properties):
    at = START + timedelta(days=day)
    return NewEvent(
        customer_id=customer.pk, message_id=f"{customer.pk}-{day}-{name}", name=name, occurred_at=at,
        value=value, properties=properties,
    )  # fmt: skip


@pytest.fixture
def past(make_customers):
    """Of four customers one buys on days 1 and 9, one on day 9; the newest event is on day 14."""
    people = make_customers(4)
    record_events(
        [order(people[0], 1, 10), order(people[0], 9, 20), order(people[1], 9, 5), order(people[3], 14, 0)]
    )
    return people


def rows(metric, days=(7, 14), **options):
    found = load_history(metric, days=days, now=START + timedelta(days=99), **options)
    return sorted(found.values.tolist())


def test_everybody_counts_those_without_events_as_zero(past) -> None:
    spend = Metric(key="spend", kind="revenue", event="Order Completed")
    assert rows(spend) == [[0, 0], [0, 0], [0, 5], [10, 30]]
    assert rows(Metric(key="n", kind="count", event="Order Completed")) == [[0, 0], [0, 1], [0, 1], [1, 2]]
    assert rows(Metric(key="b", kind="conversion", event="Order Completed"))[-1] == [1, 1]


def test_the_cap_of_the_metric_holds_in_the_past_too(past) -> None:
    assert rows(Metric(key="spend", kind="revenue", event="Order Completed", cap=12))[-1] == [10, 12]


def test_only_the_segment_is_asked(past) -> None:
    spend = Metric(key="spend", kind="revenue", event="Order Completed")
    assert rows(spend, customers=Customer.objects.filter(pk=past[1].pk)) == [[0, 5]]


def test_without_a_past_there_is_no_history(make_customers) -> None:
    make_customers(2)
    assert load_history(Metric(key="x", kind="count", event="Never"), days=[7]) is None


def test_a_campaigns_own_events_are_asked_of_past_messages(make_experiment, make_customers, place) -> None:
    experiment, people = make_experiment(), make_customers(3)
    place(experiment, "a", people[:2])
    place(experiment, "control", people[2:])
    record_events(
        [
            order(people[0], 2, None, "Message Clicked", experiment="spring"),
            order(people[1], 2, None, "Message Clicked", experiment="another"),
            order(people[1], 20, None, "Message Clicked", experiment="another"),
        ]
    )
    clicked = Metric(key="c", kind="conversion", event="Message Clicked", scope="experiment")
    assert rows(clicked) == [[0, 0], [1, 1]]
