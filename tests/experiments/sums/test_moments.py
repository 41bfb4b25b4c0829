"""Stored sums carried on from day to day are those that the events alone give, whatever comes late."""

import random
from datetime import timedelta
from decimal import Decimal, localcontext

import pytest

from experiments.models import DaySums, Metric, MetricState, SourceTotals
from experiments.stats import Adjusted, CrossProducts, Ratio
from experiments.sums.metric_sums import load_assigned
from experiments.sums.moments import compute_sums, load_sums
from personalization.customers.models import Customer
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


def test_one_more_day_asks_for_its_own_events_alone(
    make_experiment, make_customers, place, happen, metrics, start
):
    """Behind the back of all rules an event of a stored day is removed: who was at 7 goes on from there."""
    experiment, customers = make_experiment(), make_customers(4)
    place(experiment, "control", customers[:2])
    place(experiment, "a", customers[2:])
    variant = experiment.variants.get(key="a")
    capped = metrics[1]
    capped.covariate_days = 0

    def sums(days):
        assigned = load_assigned(experiment, as_of=start + timedelta(days=days))
        return load_sums(experiment, [capped], assigned)[0].sums(variant.pk)

    happen(customers[2], value="7.00", days=0.5, at_once=True)
    assert (sums(1.5).total, sums(1.5).squares) == (7, 49)
    Event.objects.all().delete()
    happen(customers[2], value="3.00", days=1.6, at_once=True)
    happen(customers[3], value="50.00", days=1.7, at_once=True)
    assert (sums(1.9).total, sums(1.9).squares) == (50, 100 + 1600)
    assert (sums(2.5).total, sums(2.5).squares) == (50, 100 + 1600), "the same after the day was stored"
    happen(customers[2], value="90.00", days=2.6, at_once=True)
    assert sums(3.5).squares == 1600 + 1600


def test_totals_last_as_long_as_windows_are_open(
    make_experiment, make_customers, place, happen, metrics, start
):
    experiment, customers = make_experiment(), make_customers(4)
    place(experiment, "a", customers)
    happen(customers[0], value="5.00", days=0.5, at_once=True)
    short = [metric for metric in metrics if metric.key == "back"]
    check(experiment, short, start + timedelta(days=4.5))
    assert SourceTotals.objects.count() == 1
    check(experiment, short, start + timedelta(days=5.5))
    assert not SourceTotals.objects.exists()
    happen(customers[1], "Product Viewed", days=3, at_once=True)
    check(experiment, short, start + timedelta(days=6.5))
    place(experiment, "control", [Customer.objects.create(created_at=start)], at=start + timedelta(days=7))
    check(experiment, short, start + timedelta(days=9))
    assert SourceTotals.objects.count() == 1


def test_a_metric_added_later_is_read_with_its_source(
    make_experiment, make_customers, place, happen, metrics, start
):
    experiment, customers = make_experiment(), make_customers(4)
    place(experiment, "a", customers)
    for days in (0.5, 1.5, 2.5):
        happen(customers[0], value="5.00", days=days, at_once=True)
        happen(customers[1], "Product Viewed", days=days, at_once=True)
    check(experiment, metrics[:1], start + timedelta(days=2))
    added = Metric.objects.create(key="orders", name="o", kind="count", event="Order Completed", cap="1.50")
    check(experiment, [metrics[0], added], start + timedelta(days=2.2))
    happen(customers[0], value="6.00", days=2.6, at_once=True)
    check(experiment, [metrics[0], added], start + timedelta(days=4))
    check(experiment, [added], start + timedelta(days=5.2))
    check(experiment, metrics, start + timedelta(days=6.2))


def test_huge_amounts_are_summed_to_the_hundredth(
    make_experiment, make_customers, place, happen, metrics, start
):
    """Squares of 10¹¹ have 26 digits: no 64 bits, and no floats."""
    experiment, customers = make_experiment(), make_customers(2)
    place(experiment, "a", customers)
    happen(customers[0], value="123456789012.34", days=0.5, at_once=True)
    happen(customers[0], value="0.01", days=1.5, at_once=True)
    happen(customers[1], value="-0.02", days=1.5, at_once=True)
    assigned = load_assigned(experiment, as_of=start + timedelta(days=1.6))
    found = load_sums(experiment, metrics[:1], assigned)[0].sums(experiment.variants.get(key="a").pk)
    assert found.total == Decimal("123456789012.33")
    with localcontext(prec=40):
        assert found.squares == Decimal("123456789012.35") ** 2 + Decimal("0.0004")
    check(experiment, metrics, start + timedelta(days=2.5))


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
