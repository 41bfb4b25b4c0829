"""Stored sums carried on from day to day are those that the events alone give, whatever comes late."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from experiments.models import DaySums, Metric, MetricState
from experiments.stats import Adjusted, CrossProducts, Ratio
from experiments.sums.metric_sums import load_assigned
from experiments.sums.moments import compute_sums, load_sums
from personalization.events.merging import move_events
from personalization.events.models import Event
from personalization.events.services import NewEvent, record_events

HOUR = timedelta(hours=1)
DEFINITIONS = [
    {"key": "revenue", "kind": "revenue", "event": "Order Completed", "window_days": 6},
    {"key": "capped", "kind": "revenue", "event": "Order Completed", "cap": Decimal(40), "covariate_days": 5},
    {"key": "bought", "kind": "conversion", "event": "Order Completed", "covariate_days": 3},
    {"key": "views", "kind": "count", "event": "Product Viewed", "property_name": "from",
     "property_value": "mail"},
    {"key": "back", "kind": "retention", "event": "Product Viewed", "from_day": 2, "window_days": 5},
    {"key": "per_order", "kind": "average_value", "event": "Order Completed",
     "denominator_event": "Order Completed", "cap": Decimal(60)},
    {"key": "orders_per_view", "kind": "ratio", "event": "Order Completed",
     "denominator_event": "Product Viewed", "covariate_days": 4},
]  # fmt: skip


@pytest.fixture
def metrics(db):
    return [Metric.objects.create(name=fields["key"], **fields) for fields in DEFINITIONS]


def sums_by_day(found):
    return {
        (variant, day): sums
        for variant, days in found.by_day.items()
        for day, sums in days.items()
        if any(vars(sums).values())
    }


def check(experiment, metrics, now):
    assigned = load_assigned(experiment, as_of=now)
    stored, fresh = (load(experiment, metrics, assigned) for load in (load_sums, compute_sums))
    for ours, theirs in zip(stored, fresh, strict=True):
        assert sums_by_day(ours) == sums_by_day(theirs), (ours.metric.key, now)


@pytest.mark.parametrize("seed", range(6))
def test_stored_sums_are_those_of_all_events(seed, make_experiment, make_customers, place, metrics, start):
    rng, experiment, customers = random.Random(seed), make_experiment(), make_customers(24)
    place(experiment, "control", customers[:8])
    place(experiment, "a", customers[8:16])
    waiting, now, number = customers[16:], start, 0
    for _step in range(14):
        before, now = now, now + rng.uniform(0.2, 30) * HOUR
        for _ in range(rng.randrange(25)):
            received = before + rng.random() * (now - before)
            late = rng.choice([0, 0, 0, 0.5, 20, 70, 150]) * HOUR
            number += 1
            event = NewEvent(
                rng.choice(customers).pk, f"e-{number}", rng.choice(["Order Completed", "Product Viewed"]),
                received - late, None, Decimal(rng.randrange(5000)) / 100,
                {"from": rng.choice(["mail", "web"])},
            )  # fmt: skip
            record_events([event], received_at=received)
        if waiting and rng.random() < 0.5:
            place(experiment, rng.choice(["control", "a"]), [waiting.pop()], at=before + (now - before) / 2)
        check(experiment, metrics, now)
    assert MetricState.objects.count() == len(metrics)
    assert DaySums.objects.exists()


def test_only_what_is_not_stored_is_read(make_experiment, make_customers, place, happen, metrics, start):
    """Behind the back of all rules a stored event is removed: who reads it again would notice."""
    experiment, customers = make_experiment(), make_customers(4)
    place(experiment, "control", customers[:2])
    place(experiment, "a", customers[2:])
    record_events(
        [NewEvent(customers[2].pk, "m", "Order Completed", start + HOUR, None, Decimal(7))],
        received_at=start + HOUR,
    )
    variant = experiment.variants.get(key="a")

    def total(days):
        assigned = load_assigned(experiment, as_of=start + timedelta(days=days))
        return load_sums(experiment, metrics[:1], assigned)[0].sums(variant.pk).total

    assert total(2.5) == 7
    Event.objects.all().delete()
    assert total(3.5) == 7
    metrics[0].window_days = 5
    assert total(3.5) == 0, "another definition is another question"


def test_an_open_day_is_not_stored(make_experiment, make_customers, place, metrics, start):
    experiment, customers = make_experiment(), make_customers(4)
    place(experiment, "control", customers)
    check(experiment, metrics, start + timedelta(hours=24.5))
    assert not MetricState.objects.exists()
    check(experiment, metrics, start + timedelta(hours=25.5))
    assert MetricState.objects.count() == len(metrics)


def test_events_that_change_hands_are_counted_where_they_are(
    make_experiment, make_customers, place, metrics, start
):
    experiment, customers = make_experiment(), make_customers(6)
    place(experiment, "control", customers[:3])
    place(experiment, "a", customers[3:])
    for number, customer in enumerate(customers):
        record_events(
            [NewEvent(customer.pk, f"m-{number}", "Order Completed", start + HOUR, None, Decimal(number))],
            received_at=start + HOUR,
        )
    check(experiment, metrics, start + timedelta(days=2))
    move_events(customers[4].pk, to_id=customers[1].pk)
    check(experiment, metrics, start + timedelta(days=3))


def test_opens_by_machines_do_not_count(make_experiment, make_customers, place, happen, start, db):
    opened = Metric.objects.create(
        key="opened", name="Opened", kind="count", event="Message Opened", scope="experiment"
    )
    experiment, customers = make_experiment(), make_customers(4)
    place(experiment, "a", customers)
    for flag in ({"bot": True}, {"is_bot": True}, {"machine": True}, {"bot": False}, {}):
        happen(customers[0], "Message Opened", experiment="spring", **flag)
    [found] = compute_sums(experiment, [opened], load_assigned(experiment, as_of=start + timedelta(days=2)))
    assert found.sums(experiment.variants.get(key="a").pk).total == 2


def test_a_removed_customer_leaves_the_stored_sums(
    make_experiment, make_customers, place, happen, metrics, start
):
    experiment, customers = make_experiment(), make_customers(4)
    place(experiment, "control", customers[:2])
    place(experiment, "a", customers[2:])
    happen(customers[0], value="5.00", days=0.5)
    check(experiment, metrics, start + timedelta(days=2))
    Event.objects.filter(customer=customers[0]).delete()
    customers[0].delete()
    check(experiment, metrics, start + timedelta(days=2.1))


def test_a_ratio_looks_back_at_both_of_its_numbers(make_experiment, make_customers, place, happen, start, db):
    """One customer with 3 orders for 2 visits after and 1 for 4 before, one with 2 visits before alone."""
    metric = Metric.objects.create(
        key="per_visit", name="Orders per visit", kind="ratio", event="Order Completed",
        denominator_event="Visit", covariate_days=5,
    )  # fmt: skip
    experiment, customers = make_experiment(), make_customers(2)
    place(experiment, "a", customers)
    for name, days, times in (
        ("Order Completed", 1, 3), ("Visit", 1, 2), ("Order Completed", -1, 1), ("Visit", -1, 4),
    ):  # fmt: skip
        for _ in range(times):
            happen(customers[0], name, days=days)
    for _ in range(2):
        happen(customers[1], "Visit", days=-2)
    [found] = compute_sums(experiment, [metric], load_assigned(experiment, as_of=start + timedelta(days=2)))
    adjusted = found.statistic(experiment.variants.get(key="a").pk)
    assert adjusted == Adjusted(Ratio(2, 3, 9, 2, 4, 6), Ratio(2, 1, 1, 6, 20, 4), CrossProducts(3, 12, 2, 8))
