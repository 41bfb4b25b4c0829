import secrets
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from campaigns.onsite import learning, showing
from campaigns.onsite.models import Offer, Order
from campaigns.onsite.showing import CLICKED, SEEN, Report, Shown
from experiments.models import Assignment
from personalization.customers.models import Customer, Identifier
from personalization.events.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return Customer.objects.create(external_id="c-1", created_at=timezone.now())


def token(offer, customer=None, *, variant=0, at=None):
    at_ms = int((at or timezone.now()).timestamp() * 1000)
    shown = Shown(offer.pk, variant, customer.pk if customer else 0, at_ms, secrets.token_bytes(8), 0.5)
    return showing.sign(shown)


def test_a_token_says_what_was_signed_and_nothing_that_was_changed():
    shown = Shown(7, 1, 42, 1_770_000_000_000, b"12345678", 0.25)
    signed = showing.sign(shown)
    assert showing.read(signed) == shown
    for place in range(len(signed)):
        other = "A" if signed[place] != "A" else "B"
        assert showing.read(signed[:place] + other + signed[place + 1 :]) in (None, shown)
    for wrong in ("", "x", signed[:-4], signed + "AAAA", "é", "=" * 80):
        assert showing.read(wrong) is None


def test_a_view_is_an_event_an_exposure_and_an_assignment_and_counts_once(make_offer, anna):
    offer = make_offer()
    report = Report(SEEN, token(offer, anna), timezone.now())
    showing.note([report, report])
    assert showing.move() == 2
    showing.note([report])
    showing.move()
    assert sorted(Event.objects.values_list("name", flat=True)) == ["Experiment Viewed", "Message Opened"]
    seen = Event.objects.get(name="Message Opened")
    assert seen.properties == {
        "channel": "web", "offer": str(offer.pk), "placement": "hero", "experiment": offer.experiment.key,
        "variant": "a", "propensity": 0.5,
    }  # fmt: skip
    assert Assignment.objects.get().customer == anna


def test_a_second_view_is_one_more_view_and_no_second_exposure(make_offer, anna):
    offer = make_offer()
    showing.write([Report(SEEN, token(offer, anna), timezone.now()) for _ in range(2)])
    names = Event.objects.order_by("name").values_list("name", flat=True)
    assert list(names) == ["Experiment Viewed", "Message Opened", "Message Opened"]


def test_a_stranger_becomes_a_visitor_with_the_first_view(make_offer):
    offer = make_offer()
    showing.write([Report(SEEN, token(offer), timezone.now(), "cookie-9")])
    visitor = Identifier.objects.get(value="cookie-9").customer
    assert set(Event.objects.values_list("customer", flat=True)) == {visitor.pk}
    showing.write([Report(SEEN, token(offer), timezone.now(), "")])
    assert Customer.objects.count() == 1


def test_reports_wait_in_redis_until_they_are_written(make_offer, anna, monkeypatch):
    offer = make_offer()
    showing.note([Report(CLICKED, token(offer, anna), timezone.now())])

    def fail(reports):
        raise RuntimeError("killed before the commit")

    with monkeypatch.context() as patch:
        patch.setattr(showing, "write", fail)
        with pytest.raises(RuntimeError):
            showing.move()
    assert Event.objects.count() == 0
    assert showing.move() == 1
    assert Event.objects.get().name == "Message Clicked"
    assert showing.move() == 0


def test_a_report_that_cannot_be_read_does_not_hold_up_the_others(make_offer, anna):
    offer = make_offer()
    redis.Redis.from_url(settings.REDIS_URL).xadd(showing.WAITING, {"report": b"\xff{"})
    showing.note([Report(CLICKED, token(offer, anna), timezone.now())])
    assert showing.move() == 2
    assert Event.objects.count() == 1


def test_without_redis_a_report_is_written_at_once(make_offer, anna, settings):
    offer = make_offer()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    showing.note([Report(SEEN, token(offer, anna), timezone.now())])
    assert Event.objects.filter(name="Message Opened").count() == 1


def test_reports_of_offers_and_customers_that_are_gone_are_dropped(make_offer, anna):
    offer = make_offer()
    gone = token(Offer(pk=offer.pk + 1), anna)
    lost = showing.sign(Shown(offer.pk, 0, anna.pk + 1, 0, b"12345678", 1.0))
    assert showing.write([Report(SEEN, gone, timezone.now())]) == 0
    assert showing.write([Report(CLICKED, lost, timezone.now())]) == 0


def test_reactions_are_counted_for_placements_that_learn(make_offer, placement, make_customers):
    placement.order = Order.LEARNED
    placement.save()
    offer = make_offer()
    people, now = make_customers(5), timezone.now()
    reports = [Report(SEEN, token(offer, one), now) for one in people[:4]]
    reports += [Report(CLICKED, token(offer, one), now) for one in people[3:]]
    reports.append(Report(SEEN, token(offer, people[0]), now - timedelta(days=40)))
    showing.write(reports)
    assert learning.count_reactions(now=now) == 1
    offer.refresh_from_db()
    assert (offer.seen, offer.clicked) == (5, 2)
    assert learning.count_reactions(now=now) == 0
