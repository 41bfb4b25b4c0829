"""Orders credited to clicks, by hand computation; and browsers that subscribe."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.models import PushSubscription, Run
from campaigns.reports.attribution import credits_of
from personalization.access.models import Scope, User
from personalization.access.services import create_key
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db


def happen(
    customer: Any, name: str, days: float, run: Run | None = None, value: str | None = None, **more: Any
) -> None:
    properties = {"run": run.pk, "variant": "m0", **more} if run else {}
    event = NewEvent(
        customer.pk, f"{name}{days}{run and run.pk}", name, timezone.now() + timedelta(days=days),
        value=Decimal(value) if value else None, properties=properties,
    )  # fmt: skip
    record_events([event])


def test_orders_go_to_the_last_click_or_to_all_equally(make_customers, make_campaign) -> None:
    ann, bob, eve = make_customers(3)
    first, second = (services.launch(make_campaign(), actor="test") for _ in range(2))
    happen(ann, "Message Clicked", 1, first)
    happen(ann, "Message Clicked", 2, second)
    happen(ann, "Order Completed", 3, value="90.00")
    happen(ann, "Order Completed", 30, value="500.00")  # out of every window
    happen(bob, "Message Clicked", 1, first)
    happen(bob, "Order Completed", 2, value="10.00")
    happen(eve, "Message Clicked", 1, first, machine=True)
    happen(eve, "Order Completed", 2, value="70.00")
    (one,) = credits_of(first)
    assert (one.last_orders, one.last_value) == (1, Decimal("10.00"))
    assert (one.linear_orders, one.linear_value) == (1.5, Decimal("55.00"))
    (two,) = credits_of(second)
    assert (two.last_orders, two.last_value, two.linear_value) == (1, Decimal("90.00"), Decimal("45.00"))


def test_the_report_comes_before_credits_that_take_long_to_count(
    client, make_customers, make_campaign, monkeypatch
) -> None:
    client.force_login(User.objects.create_superuser("kim"))
    (ann,) = make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    happen(ann, "Message Clicked", 1, run)
    happen(ann, "Order Completed", 2, value="1234.50")
    address = f"/app/campaigns/{run.campaign_id}/report/"
    with monkeypatch.context() as patch:
        patch.setattr("campaigns.reports.attribution.recent", lambda key, count: None)
        assert "1,234.50" not in client.get(address).content.decode()
        now = client.get(f"{address}data").json()
    assert now["live"] == 1  # asks again in a second
    assert now["parts"]["attribution"].strip() == ""
    assert "1,234.50" in client.get(f"{address}data").json()["parts"]["attribution"]


def test_the_report_calls_variants_by_their_names_and_groups_digits(
    client, make_customers, make_campaign
) -> None:
    client.force_login(User.objects.create_superuser("kim"))
    (ann,) = make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    run.experiment.variants.filter(key="m0").update(name="Spring picks")
    happen(ann, "Message Clicked", 1, run)
    happen(ann, "Order Completed", 2, value="1234.50")
    page = client.get(f"/app/campaigns/{run.campaign_id}/report/").content.decode()
    assert (
        '<th scope="row">Spring picks</th><td class="b-right">1</td><td class="b-right">1,234.50</td>' in page
    )


def test_a_shop_hands_its_visitors_browsers_over(make_customers) -> None:
    (customer,) = make_customers(1)
    _key, token = create_key(name="shop", scopes=[Scope.CUSTOMERS_WRITE])
    call = {"content_type": "application/json", "headers": {"authorization": f"Bearer {token}"}}
    path = "/api/v1/customers/c0/push-subscriptions"
    given = {  # all that JSON.stringify(subscription) has in Chromium and Firefox
        "endpoint": "https://push.example/1", "expirationTime": None,
        "keys": {"p256dh": "B" * 87, "auth": "A" * 22},
    }  # fmt: skip
    assert (
        Client().post(path, given, **call).status_code
        == 204
        == Client().post(path, given, **call).status_code
    )
    assert PushSubscription.objects.get().customer_id == customer.pk
    for bad in (
        {**given, "endpoint": "http://169.254.169.254/"},
        {**given, "keys": {"p256dh": "x", "auth": "y"}},
    ):
        assert Client().post(path, bad, **call).status_code == 400
    assert Client().post("/api/v1/customers/nobody/push-subscriptions", given, **call).status_code == 404
    assert Client().delete(path, {"endpoint": given["endpoint"]}, **call).status_code == 204
    assert not PushSubscription.objects.exists()
