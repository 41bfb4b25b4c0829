"""Each template as it comes: published, entered by what happens, and through to the mails at the server."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from campaigns.journeys import services
from campaigns.journeys.templates import create_from_template
from campaigns.models import Journey, Passage, Run
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 5, 4, 10, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def begin(settings: Any) -> Callable[..., Journey]:
    settings.DEFAULT_SENDER = "shop@shop.example"

    def make(key: str, **entry: Any) -> Journey:
        journey = create_from_template(key, actor="test")
        if entry:
            graph = journey.draft
            graph["entry"]["params"].update(entry)
            services.save_journey(journey, name=journey.name, graph=graph, actor="test")
        services.publish(journey, actor="test", now=START)
        journey.refresh_from_db()
        return journey

    return make


@pytest.fixture
def pass_time(go: Any, send_all: Any) -> Callable[..., None]:
    """The tick at each of these times, and what workers then send."""

    def run(journey: Journey, *after: timedelta) -> None:
        for one in after:
            go(journey, START + one)
            for each in Run.objects.all():
                send_all(each)

    return run


def mails(sink: Any) -> list[tuple[str, str]]:
    return [
        (to.partition("@")[0], message_from_bytes(raw, policy=default)["Subject"])
        for to, raw in sink.accepted
    ]


def test_an_abandoned_cart_is_reminded_after_an_hour_and_a_day_until_it_is_bought(
    sink: Any, make_customers: Any, begin: Any, did: Any, pass_time: Any
) -> None:
    buyer, ann, bob = make_customers(3)
    journey = begin("abandoned_cart")
    for one in (buyer, ann, bob):
        did(one.pk, "Product Added", START + HOUR)
    did(buyer.pk, "Order Completed", START + 1.5 * HOUR)
    pass_time(journey, HOUR, 1.9 * HOUR)
    assert mails(sink) == []
    pass_time(journey, 2 * HOUR)
    did(ann.pk, "Order Completed", START + 3 * HOUR)
    pass_time(journey, 3 * HOUR, 24.9 * HOUR)
    assert sorted(mails(sink)) == [(who, "You left something behind") for who in ("c1", "c2")]
    pass_time(journey, 25.1 * HOUR)
    assert mails(sink)[2:] == [("c2", "Still thinking it over?")]
    # Another cart within the week lets nobody in again, one after it does.
    did(bob.pk, "Product Added", START + 3 * DAY)
    pass_time(journey, 3 * DAY, 3 * DAY + 2 * HOUR)
    did(bob.pk, "Product Added", START + 9 * DAY)
    pass_time(journey, 9 * DAY, 9 * DAY + 1.1 * HOUR)
    assert mails(sink)[3:] == [("c2", "You left something behind")]


def test_who_signs_up_is_welcomed_and_then_gets_picks_or_help(
    sink: Any, make_customers: Any, begin: Any, did: Any, pass_time: Any
) -> None:
    curious, quiet = make_customers(2)
    journey = begin("welcome")
    for one in (curious, quiet):
        did(one.pk, "Signed Up", START + HOUR)
    pass_time(journey, HOUR)
    assert sorted(mails(sink)) == [("c0", "Welcome!"), ("c1", "Welcome!")]
    did(curious.pk, "Product Viewed", START + 2 * HOUR)
    pass_time(journey, 2 * HOUR)
    assert mails(sink)[2:] == [("c0", "Chosen for you")]
    pass_time(journey, 73.1 * HOUR)
    assert mails(sink)[3:] == [("c1", "Can we help you find something?")]


def test_who_comes_into_the_segment_is_won_back_but_for_one_in_ten(
    sink: Any, make_customers: Any, begin: Any, did: Any, pass_time: Any
) -> None:
    people = make_customers(60, country="FR")
    segment = save_segment(
        None, name="Away", definition={"trait": "country", "op": "in", "value": ["GB"]}
    ).segment
    journey = begin("win_back", segment=segment.pk)
    pass_time(journey, HOUR)
    Customer.objects.update(country="GB")
    pass_time(journey, 2 * HOUR)
    first = {who for who, subject in mails(sink) if subject == "We have missed you"}
    assert journey.passages.count() == 60 and 40 <= len(first) < 60
    back = next(one for one in people if one.external_id in first)
    did(back.pk, "Order Completed", START + DAY)
    pass_time(journey, DAY, 8 * DAY)
    last = {who for who, subject in mails(sink) if subject == "New since you were here"}
    assert last == first - {back.external_id} and len(mails(sink)) == len(first) + len(last)


def test_a_birthday_is_wished_well_on_the_day_at_the_hour_of_the_customer(
    sink: Any, make_customers: Any, begin: Any, pass_time: Any
) -> None:
    make_customers(1, time_zone="Asia/Tokyo", traits={"birthday": "1990-05-05"})
    make_customers(1, start=1, time_zone="America/New_York", traits={"birthday": "1980-05-05"})
    journey = begin("birthday")
    pass_time(journey, 13.9 * HOUR)
    assert mails(sink) == []
    pass_time(journey, 14.1 * HOUR)  # nine in Tokyo is midnight UTC
    assert mails(sink) == [("c0", "Happy birthday!")]
    pass_time(journey, 27.1 * HOUR, 9 * DAY)  # nine in New York is 13:00 UTC
    assert mails(sink)[1:] == [("c1", "Happy birthday!")]


def test_a_week_after_a_purchase_comes_what_goes_with_it_unless_they_bought_again(
    sink: Any, make_customers: Any, begin: Any, did: Any, pass_time: Any
) -> None:
    once, twice = make_customers(2)
    journey = begin("post_purchase")
    for one in (once, twice):
        did(one.pk, "Order Completed", START + HOUR)
    did(twice.pk, "Order Completed", START + 4 * DAY)
    pass_time(journey, HOUR, 4 * DAY, 7 * DAY)
    assert mails(sink) == []
    pass_time(journey, 7 * DAY + 7.1 * HOUR)  # 17:00
    assert mails(sink) == [("c0", "Goes well with what you bought")]


@pytest.mark.parametrize(
    ("key", "before", "after", "subject"),
    [
        ("price_drop", {"price": 100}, {"price": 90}, "Now cheaper: what you looked at"),
        ("back_in_stock", {"price": 100, "stock": 0}, {"stock": 3}, "Back again: what you looked at"),
    ],
)
def test_a_change_of_an_item_is_told_to_who_looked_and_did_not_buy(
    key: str, before: Any, after: Any, subject: str,
    sink: Any, make_customers: Any, begin: Any, pass_time: Any,
) -> None:  # fmt: skip
    looked, bought, _other = make_customers(3)
    item = Item.objects.create(external_id="lamp", name="Lamp", **{"stock": 5, **before})
    seen = [(looked, "Product Viewed"), (bought, "Product Viewed"), (bought, "Order Completed")]
    record_events(
        [
            NewEvent(customer_id=one.pk, message_id=f"{one.pk}{name}", name=name, occurred_at=START - DAY,
                     item_id=item.pk)
            for one, name in seen
        ]
    )  # fmt: skip
    journey = begin(key)
    pass_time(journey, HOUR)
    Item.objects.update(**after)
    pass_time(journey, 2 * HOUR, 3 * HOUR)
    assert mails(sink) == [("c0", subject)]
    assert Passage.objects.get().entry["item"] == "lamp"
