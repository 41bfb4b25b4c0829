"""The links in messages: what they record, and what they never do."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.models import Delivery
from campaigns.tracking import links
from campaigns.tracking.links import CLICK, OPEN, UNSUBSCRIBE, Link
from personalization.customers.models import Consent, Customer, Suppression
from personalization.events.models import Event
from personalization.privacy.models import Topic

pytestmark = pytest.mark.django_db
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148"
URL = "https://shop.example/sale?x=1&y=2"


@pytest.fixture
def delivery(make_customers: Any, make_campaign: Any) -> Delivery:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    Delivery.objects.filter(run=run).update(sent_at=timezone.now() - timedelta(hours=1), status="sent")
    return Delivery.objects.get(run=run)


def token(purpose: str, delivery: Delivery, url: str = "") -> str:
    return links.sign(purpose, Link(delivery.pk, int(timezone.now().timestamp()) - 3600, url))


def consents(delivery: Delivery) -> bool:
    return Consent.objects.get(customer=delivery.customer_id, is_current=True).granted


def test_an_open_is_recorded_with_the_kind_of_device_and_no_address(
    client: Client, delivery: Delivery
) -> None:
    response = client.get(f"/t/o/{token(OPEN, delivery)}.gif", headers={"user-agent": AGENT})
    assert response.status_code == 200 and response["Content-Type"] == "image/gif" and not response.cookies
    event = Event.objects.get(name="Message Opened")
    assert event.context == {"device": "phone"} and "machine" not in event.properties
    assert event.properties["variant"] == "m0" and event.properties["campaign"] == delivery.run.campaign_id
    assert "127.0.0.1" not in str(event.properties)


def test_a_click_leads_to_the_signed_address(client: Client, delivery: Delivery) -> None:
    response = client.get(f"/t/c/{token(CLICK, delivery, URL)}", headers={"user-agent": AGENT})
    assert response.status_code == 302 and response["Location"] == URL and not response.cookies
    assert Event.objects.get(name="Message Clicked").properties["url"] == URL


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "data:text/html,x"])
def test_even_a_signed_address_must_be_a_web_address(client: Client, delivery: Delivery, url: str) -> None:
    assert client.get(f"/t/c/{token(CLICK, delivery, url)}").status_code == 404


def test_a_changed_token_is_a_page_and_never_a_redirect(client: Client, delivery: Delivery) -> None:
    good = token(CLICK, delivery, URL)
    for bad in (
        good[:-1],
        good + "A",
        good[::-1],
        "x",
        good.replace(good[20], "_" if good[20] != "_" else "A"),
    ):
        response = client.get(f"/t/c/{bad}")
        assert response.status_code == 404 and "Location" not in response
    assert client.get(f"/t/u/{good}").status_code == 404
    assert not Event.objects.filter(name="Message Clicked").exists()


def test_a_repeated_open_counts_once_a_minute(client: Client, delivery: Delivery) -> None:
    for _ in range(3):
        client.get(f"/t/o/{token(OPEN, delivery)}.gif")
    assert 1 <= Event.objects.filter(name="Message Opened").count() <= 2


def test_a_scanner_is_flagged(client: Client, delivery: Delivery) -> None:
    client.head(f"/t/c/{token(CLICK, delivery, URL)}")
    Delivery.objects.update(sent_at=timezone.now())
    client.get(f"/t/o/{token(OPEN, delivery)}.gif")
    assert all(event.properties["machine"] for event in Event.objects.filter(name__startswith="Message "))
    assert Event.objects.count() == 2


def test_getting_the_unsubscribe_page_changes_nothing(client: Client, delivery: Delivery) -> None:
    for method in (client.get, client.head):
        assert method(f"/t/u/{token(UNSUBSCRIBE, delivery)}").status_code == 200
    assert consents(delivery) and not Event.objects.exists()


def test_the_unsubscribe_page_calls_the_topic_by_its_words_in_the_customers_language(
    client: Client, delivery: Delivery
) -> None:
    address = f"/t/u/{token(UNSUBSCRIBE, delivery)}"
    assert "“Offers and news”" in client.get(address).content.decode()
    Customer.objects.update(language="zh")
    assert "优惠与资讯" in client.get(address).content.decode()
    Topic.objects.create(key="marketing", name="Our letter", translations={"zh-hans": {"name": "来信"}})
    page = client.get(address).content.decode()
    assert "来信" in page and "marketing" not in page


def test_the_one_click_post_of_a_mail_program_unsubscribes(delivery: Delivery) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(
        f"/t/u/{token(UNSUBSCRIBE, delivery)}", "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert response.status_code == 200 and not response.cookies
    assert not consents(delivery) and not Suppression.objects.exists()
    assert Event.objects.get().properties["scope"] == "topic"


def test_everybody_with_the_same_mailbox_is_unsubscribed(
    client: Client, delivery: Delivery, make_customers: Any
) -> None:
    make_customers(1, start=5, email="C0@EXAMPLE.com")
    client.post(f"/t/u/{token(UNSUBSCRIBE, delivery)}")
    assert not Consent.objects.filter(is_current=True, granted=True).exists()


def test_stopping_all_mail_suppresses_the_address(client: Client, delivery: Delivery) -> None:
    client.post(f"/t/u/{token(UNSUBSCRIBE, delivery)}", {"scope": "all"})
    assert Suppression.objects.get().reason == "unsubscribed"


def test_the_page_speaks_the_language_of_the_customer(client: Client, delivery: Delivery) -> None:
    delivery.customer.language = "zh-CN"
    delivery.customer.save()
    page = client.get(f"/t/u/{token(UNSUBSCRIBE, delivery)}").content.decode()
    assert '<html lang="zh-hans" dir="ltr">' in page


def test_the_links_of_an_erased_customer_do_no_harm(client: Client, delivery: Delivery) -> None:
    Delivery.objects.update(customer=None)
    assert client.get(f"/t/o/{token(OPEN, delivery)}.gif").status_code == 200
    assert client.get(f"/t/c/{token(CLICK, delivery, URL)}").status_code == 302
    assert client.post(f"/t/u/{token(UNSUBSCRIBE, delivery)}").status_code == 200
    assert not Event.objects.exists()
