"""What a journey's rehearsal says is what the journey then does, to the person and to the day."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from campaigns import services
from campaigns.journeys import entering, passing
from campaigns.journeys import selectors as journey_selectors
from campaigns.journeys import services as journeys
from campaigns.models import Campaign, Chunk, Delivery, Journey, Passage, QuietHours, Run
from campaigns.rehearsing.giving_way import GaveWay
from campaigns.rehearsing.journey import rehearse_journey
from campaigns.services import MessageDraft
from campaigns.triggering.services import trigger
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 6, 1, 20, tzinfo=UTC)
UNSUBSCRIBE = '<a href="{{ unsubscribe_url }}">x</a>'


@pytest.fixture
def make_mail() -> Callable[..., int]:
    def make(name: str) -> int:
        message = MessageDraft(key="a", subject=name, body=UNSUBSCRIBE)
        return services.save_campaign(
            None, name=name, segment=None, kind="triggered", control_share=0.0, actor="test",
            sender_address="shop@shop.example", messages=[message],
        ).pk  # fmt: skip

    return make


def _did(person: Any, name: str, at: datetime, *, heard_at: datetime | None = None) -> None:
    event = NewEvent(person.pk, f"{person.pk}-{name}-{at.isoformat()}", name, at)
    record_events([event], received_at=heard_at or at)


def _mail(campaign: int, **ways: str) -> dict[str, Any]:
    return {"kind": "message", "params": {"campaign": campaign}, "next": ways}


def _ticks(clock: Any, *, until: datetime) -> Iterator[datetime]:
    while timezone.now() < until:
        yield timezone.now()
        clock.move_to(timezone.now() + timedelta(minutes=5))


def _days(rows: Any) -> Counter[Any]:
    return Counter(at.date() for at in rows.filter(status="sent").values_list("sent_at", flat=True))


def test_the_real_journey_does_what_the_rehearsal_said(
    sink: Any, make_customers: Any, make_mail: Any, send_all: Any
) -> None:
    QuietHours.objects.create(starts_at="22:00", ends_at="07:00")
    before_quiet, in_quiet, quick, slow = (make_customers(12, start=12 * n) for n in range(4))
    refusing = make_customers(3, start=50, consent=False)
    for person in (*before_quiet, *refusing):
        _did(person, "Signed Up", START + timedelta(hours=1, minutes=40))
    for person in in_quiet:
        _did(person, "Signed Up", START + timedelta(hours=3, minutes=30))
    for person in in_quiet[:4]:  # the greeting is in line until seven
        _did(person, "Order Completed", START + timedelta(hours=10))
    for person in quick:
        _did(person, "Signed Up", START + timedelta(hours=14, minutes=5))
    for person in quick[:5]:  # after the second message, within the hour
        _did(person, "Order Completed", START + timedelta(hours=14, minutes=45))
    for person in slow:
        _did(person, "Signed Up", START + timedelta(hours=15))
    hello, second = make_mail("Hello"), make_mail("Second")
    graph = {
        "entry": {"kind": "event", "params": {"event": "Signed Up"}}, "start": "hello",
        "exits": [{"event": "Order Completed", "is_goal": True}],
        "nodes": {
            "hello": _mail(hello, done="wait"),
            "wait": {"kind": "delay", "params": {"hours": 0.25}, "next": {"done": "split"}},
            "split": {"kind": "split_random", "params": {"ways": [["silent", 1], ["mailed", 1]]},
                      "next": {"mailed": "second"}},
            "second": _mail(second, done="rest"),
            "rest": {"kind": "delay", "params": {"hours": 20}, "next": {}},
        },
    }  # fmt: skip
    journey = journeys.save_journey(None, name="Welcome", graph=graph, actor="test")
    said = rehearse_journey(journey, at=START, days=2)
    assert Delivery.objects.count() == Passage.objects.count() == 0
    with time_machine.travel(START) as clock:
        journeys.publish(journey, actor="test")
        for now in _ticks(clock, until=START + timedelta(days=2)):
            entering.look(journey.pk, now=now)
            passing.run_due(now=now)
            for run in Run.objects.all():
                send_all(run)
    rows = Delivery.objects.all()
    done = journey_selectors.counts(journey)
    assert said.audience == 51 and said.journey == done
    assert said.sent == rows.filter(status="sent").count() == len(sink.accepted)
    assert said.days == _days(rows)
    skipped = rows.filter(status="skipped").values_list("reason", flat=True)
    assert said.reasons == Counter(skipped) and said.waiting == {}
    # Those before the quiet hours are greeted at once; of those in them four had bought before it was seven.
    assert said.days[START.date()] >= 12
    assert rows.filter(run__campaign=hello).count() == 51
    assert rows.filter(run__campaign=hello, status="sent").count() == 44
    assert said.reasons["left_journey"] >= 4 and said.reasons["no_consent"] >= 3


def test_history_that_was_imported_later_counts_when_it_happened(make_customers: Any, make_mail: Any) -> None:
    for n, person in enumerate(make_customers(4)):
        _did(person, "Signed Up", START + timedelta(days=n), heard_at=START + timedelta(days=90))
    graph = {
        "entry": {"kind": "event", "params": {"event": "Signed Up"}}, "start": "m",
        "nodes": {"m": _mail(make_mail("Hello"))},
    }  # fmt: skip
    journey = journeys.save_journey(None, name="Welcome", graph=graph, actor="test")
    found = rehearse_journey(journey, at=START, days=7)
    assert found.days == {(START + timedelta(days=n)).date(): 1 for n in range(4)}


def test_what_comes_in_line_meanwhile_is_left_to_the_real_workers(
    make_customers: Any, make_mail: Any
) -> None:
    people, (stranger,) = make_customers(2), make_customers(1, start=2)
    for person in people:
        _did(person, "Signed Up", START + timedelta(days=2))
    hello = make_mail("Hello")
    campaign = Campaign.objects.get(pk=hello)
    services.launch(campaign, actor="test")

    def write() -> None:
        trigger(campaign, [(stranger.pk, {})], key="k", actor="test", now=START)
        connections.close_all()

    def hear(_share: float) -> None:
        if not Delivery.objects.filter(customer=stranger).exists():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join(20)
            assert not thread.is_alive()

    graph = {
        "entry": {"kind": "event", "params": {"event": "Signed Up"}}, "start": "m",
        "nodes": {"m": _mail(hello)},
    }  # fmt: skip
    journey = journeys.save_journey(None, name="Welcome", graph=graph, actor="test")
    found = rehearse_journey(journey, at=START, days=5, tell=hear)
    assert (found.sent, found.days) == (2, {(START + timedelta(days=2)).date(): 2})
    assert Delivery.objects.get().status == "pending" and Chunk.objects.get().status == "free"


def test_a_birthday_is_rehearsed_at_its_own_hour(make_customers: Any, make_mail: Any) -> None:
    """A quarter before midnight in UTC, by the clock of Kathmandu: an hour later it would be the next day."""
    make_customers(2, traits={"birthday": "1990-06-03"}, time_zone="Asia/Kathmandu")
    graph = {
        "entry": {"kind": "date", "params": {"trait": "birthday", "yearly": True, "clock": "05:30"}},
        "start": "m", "nodes": {"m": _mail(make_mail("Happy birthday"))},
    }  # fmt: skip
    journey = journeys.save_journey(None, name="Birthday", graph=graph, actor="test")
    found = rehearse_journey(journey, at=START - timedelta(minutes=7), days=3)
    assert found.days == {datetime(2026, 6, 2).date(): 2}


def test_a_journey_is_rehearsed_on_the_events_of_the_past(sink: Any, make_customers: Any) -> None:
    people = make_customers(6)
    for n, person in enumerate(people):
        at = START + timedelta(days=n)
        record_events([NewEvent(person.pk, f"c{n}", "Product Added", at)], received_at=at)
        if n < 2:
            later = at + timedelta(minutes=5)
            record_events([NewEvent(person.pk, f"o{n}", "Order Completed", later)], received_at=later)
    mail = services.save_campaign(
        None, name="Cart", segment=None, kind="triggered", control_share=0.0, actor="test",
        sender_address="shop@shop.example",
        messages=[MessageDraft(key="a", subject="Cart", body='<a href="{{ unsubscribe_url }}">x</a>')],
    )  # fmt: skip
    graph = {
        "entry": {"kind": "event", "params": {"event": "Product Added"}}, "start": "w",
        "exits": [{"event": "Order Completed", "is_goal": True}],
        "nodes": {"w": {"kind": "delay", "params": {"hours": 1}, "next": {"done": "m"}},
                  "m": {"kind": "message", "params": {"campaign": mail.pk}, "next": {}}},
    }  # fmt: skip
    journey = journeys.save_journey(None, name="Cart", graph=graph, actor="test")
    found = rehearse_journey(journey, at=START, days=7)
    assert found.audience == 6 and found.sent == 4 and found.journey and found.journey["goal"] == 2
    assert sorted(found.days) == [(START + timedelta(days=n, hours=1)).date() for n in range(2, 6)]
    assert Passage.objects.count() == Run.objects.count() == Delivery.objects.count() == 0
    assert Journey.objects.count() == 1 and sink.accepted == []
    heard: list[float] = []

    def hear(share: float) -> None:
        heard.append(share)
        if share > 2 / 7:
            raise GaveWay

    cut = rehearse_journey(journey, at=START, days=7, tell=hear)
    assert heard == sorted(heard) and len(heard) > 48
    assert cut.is_cut and cut.ends_at == START + timedelta(days=2) and sum(cut.days.values()) == cut.sent
    assert not found.is_cut and found.ends_at == START + timedelta(days=7)
