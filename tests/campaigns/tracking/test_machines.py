"""Scanners give themselves away; readers are left alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.models import Delivery
from campaigns.tracking import links
from campaigns.tracking.links import CLICK, OPEN, TRAP, UNSUBSCRIBE, Link
from experiments.sums.questions import BOT_FLAGS
from personalization.customers.models import Consent, Suppression
from personalization.events.models import Event

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
OUTLOOK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"


@pytest.fixture
def delivery(make_customers: Any, make_campaign: Any, settings: Any) -> Delivery:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    Delivery.objects.filter(run=run).update(sent_at=timezone.now() - timedelta(hours=1), status="sent")
    return Delivery.objects.get(run=run)


def visit(delivery: Delivery, purpose: str, *, agent: str = PHONE, url: str = "") -> Any:
    token = links.sign(purpose, Link(delivery.pk, int(timezone.now().timestamp()) - 3600, url))
    path = {
        OPEN: f"/t/o/{token}.gif",
        CLICK: f"/t/c/{token}",
        TRAP: f"/t/s/{token}",
        UNSUBSCRIBE: f"/t/u/{token}",
    }
    return Client().get(path[purpose], headers={"user-agent": agent} if agent else {})


def reasons() -> list[str]:
    return [event.properties.get("machine_by", "") for event in Event.objects.order_by("occurred_at")]


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (PHONE, ""), (OUTLOOK, ""), ("", "agent"), ("Mozilla/5.0", "prefetch"),
        ("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko (via ggpht.com GoogleImageProxy)", "prefetch"),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "prefetch"),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel)", "agent"), ("python-requests/2.32", "agent"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "agent"),
    ],
)  # fmt: skip
def test_machines_are_known_by_what_they_call_themselves(delivery: Delivery, agent: str, reason: str) -> None:
    visit(delivery, OPEN, agent=agent)
    assert reasons() == [reason] and "machine" in BOT_FLAGS


def test_following_all_links_within_moments_marks_the_whole_walk(delivery: Delivery) -> None:
    for number in range(4):
        visit(delivery, CLICK, agent=OUTLOOK, url=f"https://shop.example/{number}")
    assert reasons() == ["walk"] * 4


def test_two_links_of_a_quick_reader_are_no_walk(delivery: Delivery) -> None:
    for number in (1, 2, 1, 2):
        visit(delivery, CLICK, url=f"https://shop.example/{number}")
    assert set(reasons()) == {""}


def test_following_the_hidden_link_speaks_for_everything_around_it(delivery: Delivery) -> None:
    visit(delivery, OPEN)
    assert visit(delivery, TRAP).status_code == 204
    visit(delivery, CLICK, url="https://shop.example/")
    assert reasons() == ["trap", "trap"]


def test_a_click_before_the_message_was_sent_is_a_machine(delivery: Delivery) -> None:
    Delivery.objects.update(sent_at=timezone.now() + timedelta(seconds=30))
    visit(delivery, CLICK, url="https://shop.example/")
    assert reasons() == ["before"]


def test_a_scanner_that_follows_every_link_unsubscribes_nobody(delivery: Delivery) -> None:
    visit(delivery, UNSUBSCRIBE, agent=OUTLOOK)
    visit(delivery, TRAP, agent=OUTLOOK)
    assert Consent.objects.get(is_current=True).granted and not Suppression.objects.exists()


def test_the_hidden_link_stands_in_the_mail_and_nowhere_else(
    sink, make_customers, make_campaign, send_all
) -> None:
    make_customers(1)
    send_all(services.launch(make_campaign(), actor="test"))
    _to, data = sink.accepted[0]
    text, _, html = data.partition(b"text/html")
    assert b"/t/s/" in html and b"/t/s/" not in text and b'aria-hidden="true"' in html
