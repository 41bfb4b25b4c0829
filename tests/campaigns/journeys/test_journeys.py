"""Customers on their way: entries, waits, splits, messages, rules for leaving, versions."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from campaigns import selectors as campaign_selectors
from campaigns.journeys import passing, selectors, services
from campaigns.models import Passage, PassageStep, Run
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 5, 4, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def node(kind: str, params: dict[str, Any] | None = None, **ways: str | None) -> dict[str, Any]:
    return {"kind": kind, "params": params or {}, "next": ways}


def states(journey: Any) -> dict[str, tuple[str, str]]:
    return {p.customer.external_id: (p.status, p.node) for p in journey.passages.select_related("customer")}


def test_an_abandoned_cart_is_reminded_and_a_buyer_is_not(
    sink: Any, make_customers: Any, make_message: Any, make_journey: Any, go: Any, did: Any, send_all: Any
) -> None:
    people = make_customers(3)
    campaign = make_message()
    journey = make_journey(
        {"wait": node("delay", {"hours": 1}, done="mail"), "mail": node("message", {"campaign": campaign})},
        now=START, entry={"kind": "event", "params": {"event": "Cart Updated"}},
        exits=[{"event": "Order Completed", "is_goal": True}],
    )  # fmt: skip
    did(people[2].pk, "Cart Updated", START - HOUR, cart="too early")
    for person in people[:2]:
        did(person.pk, "Cart Updated", START + HOUR, cart=f"of {person.external_id}")
    assert go(journey, START + HOUR) == 2
    did(people[0].pk, "Order Completed", START + 1.5 * HOUR)
    go(journey, START + 1.5 * HOUR)
    go(journey, START + 2 * HOUR)
    assert states(journey) == {"c0": ("left", "wait"), "c1": ("finished", "mail")}
    run = Run.objects.get(campaign=campaign)
    send_all(run)
    assert sink.recipients == {"c1@example.com": 1} and b"of c1" in sink.accepted[0][1]
    assert run.status == "sending" and run.audience_size == 1
    assert selectors.counts(journey)["goal"] == 1


def test_a_message_in_line_is_not_sent_to_who_has_left(
    sink: Any, make_customers: Any, make_message: Any, make_journey: Any, go: Any, did: Any, send_all: Any
) -> None:
    person = make_customers(1)[0]
    campaign = make_message()
    journey = make_journey(
        {"mail": node("message", {"campaign": campaign}, done="wait"), "wait": node("delay", {"hours": 5})},
        now=START, exits=[{"event": "Order Completed"}],
    )  # fmt: skip
    with time_machine.travel(START):
        services.enter_by_api(journey, [(person.pk, {})], key="1", actor="test")
        passing.run_due(now=START)
        did(person.pk, "Order Completed", START + timedelta(seconds=1))
        go(journey, START + timedelta(seconds=2))
        send_all(Run.objects.get(campaign=campaign))
    assert campaign_selectors.progress(Run.objects.get())["reasons"] == {"left_journey": 1}


def test_the_last_message_is_not_sent_to_who_buys_while_it_waits(
    sink: Any, make_customers: Any, make_message: Any, make_journey: Any, go: Any, did: Any, send_all: Any
) -> None:
    """Behind it there is no step at which the rule could be asked."""
    buyer, other = make_customers(2)
    campaign = make_message(timing={"quiet": "own", "own_quiet": {"from": "08:00", "until": "18:00"}})
    journey = make_journey(
        {"mail": node("message", {"campaign": campaign})}, now=START, exits=[{"event": "Order Completed"}]
    )
    run = Run.objects.get(campaign=campaign)
    with time_machine.travel(START.replace(hour=12)) as clock:
        services.enter_by_api(journey, [(p.pk, {}) for p in (buyer, other)], key="1", actor="test")
        go(journey, timezone.now())
        send_all(run)
        assert set(states(journey).values()) == {("finished", "mail")} and not sink.accepted
        did(buyer.pk, "Order Completed", START.replace(hour=17))
        clock.move_to(START.replace(hour=18))
        send_all(run)
    assert [recipient for recipient, _ in sink.accepted] == [other.email]
    assert campaign_selectors.progress(run)["reasons"] == {"left_journey": 1}


def test_waiting_for_an_event_goes_one_of_two_ways(
    make_customers: Any, make_journey: Any, go: Any, did: Any
) -> None:
    people = make_customers(3)
    journey = make_journey(
        {
            "w": node("until_event", {"event": "Product Viewed", "hours": 24}, happened="y", timeout="n"),
            "y": node("goal"), "n": node("trait", {"trait": "quiet", "value": "yes"}),
        },
        now=START,
    )  # fmt: skip
    with time_machine.travel(START):
        services.enter_by_api(journey, [(p.pk, {}) for p in people], key="1", actor="test")
    go(journey, START)
    did(people[0].pk, "Product Viewed", START + HOUR)
    go(journey, START + HOUR)
    assert states(journey)["c0"] == ("finished", "y")
    # It happened in time, and we look late.
    did(people[1].pk, "Product Viewed", START + 23 * HOUR)
    go(journey, START + 30 * HOUR)
    assert states(journey) == {k: ("finished", n) for k, n in (("c0", "y"), ("c1", "y"), ("c2", "n"))}
    assert Customer.objects.get(pk=people[2].pk).traits == {"quiet": "yes"}


def test_splits_by_segment_by_event_and_by_chance(
    make_customers: Any, make_journey: Any, go: Any, did: Any
) -> None:
    british, french = make_customers(40), make_customers(40, start=40, country="FR")
    segment = save_segment(
        None, name="GB", definition={"trait": "country", "op": "in", "value": ["GB"]}
    ).segment
    did(british[0].pk, "Order Completed", START - 3 * DAY)
    journey = make_journey(
        {
            "s": node("split_segment", {"segment": segment.pk}, **{"in": "e", "out": "r"}),
            "e": node("split_event", {"event": "Order Completed", "days": 7}, yes="y", no="n"),
            "y": node("goal"), "n": node("goal"),
            "r": node("split_random", {"ways": [["a", 3], ["b", 1]]}, a="ra", b="rb"),
            "ra": node("goal"), "rb": node("goal"),
        },
        now=START,
    )  # fmt: skip
    with time_machine.travel(START):
        services.enter_by_api(journey, [(p.pk, {}) for p in british + french], key="1", actor="test")
    go(journey, START)
    ends = Counter(name for _status, name in states(journey).values())
    assert ends["y"] == 1 and ends["n"] == 39 and ends["ra"] + ends["rb"] == 40 and 20 < ends["ra"] < 38
    steps = dict(PassageStep.objects.filter(node="r").values_list("passage__customer_id", "exit"))
    services.end(journey, actor="test")
    # The same split in the next version sends everybody the same way.
    again = services.save_journey(None, name="Again", graph=journey.draft, actor="test")
    assert services.publish(again, actor="test", now=START).graph["nodes"]["r"]["params"]["experiment"]
    second = services.publish(again, actor="test", now=START)
    assert (
        second.graph["nodes"]["r"]["params"]["experiment"]
        == again.versions.get(number=1).graph["nodes"]["r"]["params"]["experiment"]
    )
    assert len(steps) == 40


def test_a_wait_until_an_hour_is_by_the_customers_clock(
    make_customers: Any, make_journey: Any, go: Any
) -> None:
    berlin = make_customers(1, time_zone="Europe/Berlin")[0]
    tokyo = make_customers(1, start=1, time_zone="Asia/Tokyo")[0]
    journey = make_journey({"w": node("delay", {"hours": 0, "clock": "09:00"})}, now=START)
    with time_machine.travel(START):
        services.enter_by_api(journey, [(berlin.pk, {}), (tokyo.pk, {})], key="1", actor="test")
    go(journey, START)
    dues = dict(Passage.objects.values_list("customer_id", "due_at"))
    assert dues[berlin.pk] == datetime(2026, 5, 5, 7, tzinfo=UTC)
    assert dues[tokyo.pk] == datetime(2026, 5, 5, 0, tzinfo=UTC)


def test_coming_into_a_segment_lets_in_and_staying_there_does_not(
    make_customers: Any, make_journey: Any, go: Any
) -> None:
    people = make_customers(3)
    away = make_customers(1, start=3, country="FR")[0]
    segment = save_segment(
        None, name="GB", definition={"trait": "country", "op": "in", "value": ["GB"]}
    ).segment
    journey = make_journey(
        {"g": node("goal")}, now=START, reentry={"rule": "always"},
        entry={"kind": "segment", "params": {"segment": segment.pk}},
    )  # fmt: skip
    assert go(journey, START + HOUR) == 0
    Customer.objects.filter(pk=away.pk).update(country="GB")
    Customer.objects.filter(pk=people[0].pk).update(country="FR")
    assert go(journey, START + 2 * HOUR) == 1
    Customer.objects.filter(pk=people[0].pk).update(country="GB")
    assert go(journey, START + 3 * HOUR) == 1 and go(journey, START + 4 * HOUR) == 0
    assert set(states(journey)) == {"c3", "c0"}


def test_a_birthday_comes_once_a_year_at_the_customers_own_hour(
    make_customers: Any, make_journey: Any, go: Any
) -> None:
    make_customers(1, time_zone="Pacific/Auckland", traits={"birthday": "1990-05-05"})
    make_customers(1, start=1, traits={"birthday": "1988-02-29"})
    make_customers(1, start=2, traits={"birthday": "soon"})
    journey = make_journey(
        {"g": node("goal")}, now=START, reentry={"rule": "always"},
        entry={"kind": "date", "params": {"trait": "birthday", "clock": "09:00"}},
    )  # fmt: skip
    # 09:00 on 5 May in Auckland is 21:00 UTC on the 4th.
    assert go(journey, datetime(2026, 5, 4, 20, 50, tzinfo=UTC)) == 0
    assert go(journey, datetime(2026, 5, 4, 21, 5, tzinfo=UTC)) == 1
    assert go(journey, datetime(2026, 5, 6, 21, 5, tzinfo=UTC)) == 0
    # Born on a 29 February: the 28th in 2027; the standstill since May is made up for.
    assert go(journey, datetime(2027, 2, 28, 9, 5, tzinfo=UTC)) == 1
    assert go(journey, datetime(2027, 5, 5, 12, tzinfo=UTC)) == 1


@pytest.mark.parametrize(("rule", "expected"), [("never", 1), ("always", 3), ("after", 2)])
def test_the_reentry_rule_holds(
    make_customers: Any, make_journey: Any, go: Any, did: Any, rule: str, expected: int
) -> None:
    person = make_customers(1)[0]
    journey = make_journey(
        {"g": node("goal")}, now=START, reentry={"rule": rule, "days": 3},
        entry={"kind": "event", "params": {"event": "Cart Updated"}},
    )  # fmt: skip
    for days in (0, 2, 4):
        at = START + days * DAY + HOUR
        did(person.pk, "Cart Updated", at)
        go(journey, at)
        go(journey, at + timedelta(minutes=1))
    assert journey.passages.count() == expected


def test_a_price_drop_reaches_who_looked_and_did_not_buy(
    make_customers: Any, make_journey: Any, go: Any
) -> None:
    people = make_customers(3)
    item = Item.objects.create(external_id="i", name="Lamp", price=100, stock=5)
    for person, name in ((people[0], "Product Viewed"), (people[1], "Product Viewed"),
                         (people[1], "Order Completed")):  # fmt: skip
        record_events([NewEvent(customer_id=person.pk, message_id=f"{person.pk}{name}", name=name,
                                occurred_at=START - HOUR, item_id=item.pk)])  # fmt: skip
    journey = make_journey(
        {"w": node("delay", {"hours": 1})}, now=START,
        entry={"kind": "item", "params": {"change": "price_drop", "percent": 10, "event": "Product Viewed",
                                          "days": 30, "bought": "Order Completed"}},
    )  # fmt: skip
    Item.objects.update(price=95)
    assert go(journey, START + HOUR) == 0
    Item.objects.update(price=80)
    assert go(journey, START + 2 * HOUR) == 1
    assert Passage.objects.get().entry == {"item": "i", "was": 95.0, "price": 80.0}
    assert go(journey, START + 3 * HOUR) == 0


def test_who_is_inside_stays_on_their_version_unless_they_are_moved(
    make_customers: Any, make_journey: Any, go: Any
) -> None:
    people = make_customers(2)
    nodes = {"w": node("delay", {"hours": 24}, done="g"), "g": node("goal")}
    journey = make_journey(nodes, now=START)
    with time_machine.travel(START):
        services.enter_by_api(journey, [(people[0].pk, {})], key="1", actor="test")
    go(journey, START)
    draft = {**journey.draft, "nodes": {**nodes, "w": node("delay", {"hours": 48}, done="g")}}
    services.save_journey(journey, name="J", graph=draft, actor="test")
    services.publish(journey, actor="test", now=START)
    with time_machine.travel(START):
        services.enter_by_api(journey, [(people[1].pk, {})], key="1", actor="test")
    go(journey, START + 25 * HOUR)
    assert states(journey) == {"c0": ("finished", "g"), "c1": ("inside", "w")}
    services.save_journey(journey, name="J", graph={**journey.draft, "nodes": nodes}, actor="test")
    services.publish(journey, actor="test", now=START, move_inside=True)
    Passage.objects.filter(status="inside").update(due_at=START)
    go(journey, START + 26 * HOUR)
    assert states(journey)["c1"] == ("finished", "g")
