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


def log_in(page: Page, path: str) -> None:
    User.objects.create_superuser("root", "root@shop.example", "a long password")
    page.goto(f"/admin/login/?next={path}")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Log in").click()


def test_a_step_is_dragged_led_elsewhere_and_undone(page: Page, accessible: Any, shot: Any) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    before = journey.draft

    def draft() -> dict[str, Any]:
        journey.refresh_from_db()
        return journey.draft

    log_in(page, f"/app/journeys/{journey.pk}/")
    said = page.locator("#jn-said")
    start = page.locator(".jn-plus[data-after='']")
    page.locator("#jn-day").drag_to(start)
    expect(said).to_have_text("Saved in the draft.")
    assert draft()["start"] == "day"
    shot(page, "journey-edited")
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_text("Undone.")
    assert draft() == before
    # The same without dragging, by keys alone.
    page.locator("#jn-day").focus()
    page.keyboard.press("m")
    expect(start).to_be_focused()
    page.keyboard.press("Enter")
    expect(said).to_have_text("Saved in the draft.")
    assert draft()["start"] == "day"
    page.keyboard.press("Control+z")
    expect(said).to_have_text("Undone.")
    # A way is dragged to another step; what nothing leads to is gone until it is undone.
    page.locator(".jn-plus[data-after=wait]").drag_to(page.locator("#jn-second"))
    expect(said).to_contain_text("undo brings")
    assert draft()["nodes"]["wait"]["next"] == {"done": "second"}
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_text("Undone.")
    start.click()
    page.get_by_role("menuitem", name="Goal").click()
    expect(page.locator("#jn-goal1")).to_be_visible()
    page.locator("#jn-goal1").focus()
    page.keyboard.press("Delete")
    expect(said).to_contain_text("undo brings")
    expect(page.locator(".jn-stage")).to_be_focused()
    assert draft() == before
    # Undo keeps the focus also where it has nothing left to undo, and says so.
    undo = page.get_by_role("button", name="Undo")
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#jn-goal1")).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Enter")
    expect(said).to_have_text("There is nothing to undo.")
    expect(undo).to_be_focused()
    expect(undo).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Redo").focus()
    for _ in range(20):
        page.keyboard.press("Enter")
    expect(said).to_have_text("There is nothing to redo.")
    expect(page.get_by_role("button", name="Redo")).to_be_focused()
    assert draft() == before
    accessible(page)
    page.set_viewport_size({"width": 820, "height": 1100})
    stage = page.locator(".jn-stage")
    assert stage.evaluate("stage => stage.scrollWidth <= stage.clientWidth")


def test_people_are_seen_coming_in_and_ending_asks_first(page: Page, accessible: Any, shot: Any) -> None:
    journey = create_from_template("abandoned_cart", actor="test")
    draft = {**journey.draft, "entry": {"kind": "api", "params": {}}}
    services.save_journey(journey, name="Cart", graph=draft, actor="test")
    journey.refresh_from_db()
    services.publish(journey, actor="test")
    journey.refresh_from_db()
    log_in(page, f"/app/journeys/{journey.pk}/%3Fnode=wait")
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
