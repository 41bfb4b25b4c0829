"""A sequence in the builder, and the page about the members, for everybody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from personalization.access.models import User
from personalization.demo.services import load_shop
from personalization.demo.world import build_world
from personalization.events.models import Event
from personalization.segments import membership
from personalization.segments.services import save_segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
SEQUENCE = {"sequence": [{"event": "Product Viewed"}, {"event": "Order Completed"}], "within_days": 7,
            "window": {"last_days": 90}}  # fmt: skip
MANY = {"event": "Order Completed", "op": "count", "is": "at_least", "value": 2}


def test_a_sequence_is_kept_and_members_are_shown(
    settings: Any, tmp_path: Any, live_server: Any, page: Page,
    accessible: Callable[[Page], None], shot: Callable[..., None],
) -> None:  # fmt: skip
    settings.DATA_DIR, settings.MODEL_DIR = tmp_path, tmp_path / "models"
    settings.MEDIA_ROOT, settings.SITE_URL = tmp_path / "media", live_server.url
    load_shop(build_world(n_customers=150, seed=5))
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)
    version = save_segment(None, name="Looked, then bought", definition={"all": [SEQUENCE, MANY]})
    other = save_segment(None, name="Bought twice", definition=MANY).segment
    start = timezone.now() - timedelta(days=40)
    for day in range(0, 41, 4):
        membership.refresh_all(now=start + timedelta(days=day))
    customer = Event.objects.order_by("-occurred_at").values_list("customer__external_id", flat=True)[0]
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"/app/segments/{version.segment_id}/")
    expect(page.locator(".sb-words")).to_contain_text("then")
    expect(page.get_by_label("Kind of condition").first).to_have_value("sequence")
    undone(page)
    accessible(page)
    shot(page, "segment-builder", full_page=True)
    with page.expect_navigation():
        page.get_by_role("button", name="Save segment").click()
    assert version.segment.versions.count() == 1, "nothing was changed, so nothing was lost"

    page.goto(f"/app/segments/{version.segment_id}/members/?days=90&with={other.pk}&at={start:%Y-%m-%d}")
    expect(page.locator("#sizes-chart svg")).to_be_visible()
    page.get_by_label("Customer id").fill(customer)
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".si-why")).to_be_visible()
    accessible(page)
    shot(page, "segment-why", full_page=True)
    page.goto(f"/app/segments/{version.segment_id}/members/?days=90&with={other.pk}")
    page.evaluate("document.documentElement.classList.add('dark')")
    shot(page, "segment-dark", full_page=True)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    shot(page, "segment-phone", full_page=True)


def undone(page: Page) -> None:
    """A condition is added and taken back, by button and by key, and comes again."""
    kinds, undo = page.get_by_label("Kind of condition"), page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    page.get_by_role("button", name="Condition", exact=True).last.click()
    expect(kinds).to_have_count(3)
    expect(undo).to_be_enabled()
    undo.click()
    expect(kinds).to_have_count(2)
    page.get_by_role("button", name="Redo").click()
    expect(kinds).to_have_count(3)
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Control+z")
    expect(kinds).to_have_count(2)
    page.get_by_role("button", name="Count step by step").click()
    expect(page.locator(".sb-side .si-funnel li")).to_have_count(2)
