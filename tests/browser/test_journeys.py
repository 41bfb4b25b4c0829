"""People are watched as they flow through a journey, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from campaigns.journeys import services
from campaigns.journeys.templates import create_from_template
from personalization.access.models import User
from personalization.customers.models import Customer
from tests.privacy.making import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_people_are_seen_coming_in_and_ending_asks_first(page: Page, accessible: Any, shot: Any) -> None:
    User.objects.create_superuser("root", "root@shop.example", "a long password")
    journey = create_from_template("abandoned_cart", actor="test")
    draft = {**journey.draft, "entry": {"kind": "api", "params": {}}}
    services.save_journey(journey, name="Cart", graph=draft, actor="test")
    journey.refresh_from_db()
    services.publish(journey, actor="test")
    journey.refresh_from_db()
    page.goto(f"/admin/login/?next=/app/journeys/{journey.pk}/%3Fnode=wait")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Log in").click()
    step = page.locator("#jn-wait")
    expect(step).to_contain_text("0 here")
    step.focus()
    ada = Customer.objects.create(external_id="ada", first_name="Ada", created_at=NOW)
    services.enter_by_api(journey, [(ada.pk, {})], key="1", actor="test")
    expect(step).to_contain_text("1 here", timeout=15_000)  # the page asks by itself
    expect(step).to_be_focused()
    page.reload()
    expect(page.get_by_role("cell", name="came in")).to_be_visible()
    accessible(page)
    shot(page, "journey")
    page.get_by_role("link", name="End for everybody").click()
    expect(page.get_by_text("1 customer is inside and leaves where they stand")).to_be_visible()
    accessible(page)
    shot(page, "journey-end")
