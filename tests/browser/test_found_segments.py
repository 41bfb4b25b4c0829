"""Found segments in a browser: offered, looked at in both languages, made a segment, for everybody."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from personalization.access.models import User
from personalization.segments.discovery import services
from personalization.segments.models import Discovery, DiscoveryStatus
from personalization.segments.services import save_segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
TRIED = [
    {"groups": n, "strength": 1 / n + 0.4, "valley": 0.6 - n / 10, "smallest": 0.2, "holds": n < 3}
    for n in (2, 3)
]
GROUPS = [
    {"letter": "A", "share": 0.6, "customers": 1200, "apart": [["share:Tea", 1.4], ["spent", -0.6]]},
    {"letter": "B", "share": 0.4, "customers": 800, "apart": [["recency", 0.7]]},
]
ALIKE = {
    "area": {"value": 0.81, "low": 0.77, "high": 0.85}, "lift": 4.2, "members": 90, "others": 400,
    "reasons": [["share:Tea", 1.2], ["mark:plan=gold", -0.4]],
}  # fmt: skip


def test_groups_and_lookalikes_are_shown_and_become_a_segment(
    live_server: Any, page: Page, accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)
    seed = save_segment(None, name="Tea lovers", definition={"all": []}).segment
    groups = services.create_discovery(name="Kinds of shoppers", kind="groups", actor="test")
    alike = services.create_discovery(name="Like tea lovers", kind="lookalikes", seed=seed, actor="test")
    done = {"status": DiscoveryStatus.DONE, "finished_at": timezone.now()}
    Discovery.objects.filter(pk=groups.pk).update(
        **done, result={"groups": GROUPS, "tried": TRIED}, model={"letters": ["A", "B"]}
    )
    Discovery.objects.filter(pk=alike.pk).update(**done, result=ALIKE, model={"weights": [1]})
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.goto("/app/segments/found/")
    expect(page.get_by_role("link", name="Kinds of shoppers")).to_be_visible()
    accessible(page)
    shot(page, "found-segments", full_page=True)
    page.goto(f"/app/segments/found/{alike.pk}/")
    expect(page.get_by_text("4.2 times as many members")).to_be_visible()
    page.evaluate("document.documentElement.classList.add('dark')")
    accessible(page)
    shot(page, "found-lookalikes-dark", full_page=True)
    page.goto(f"/app/segments/found/{groups.pk}/")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    accessible(page)
    shot(page, "found-groups-phone", full_page=True)
    page.get_by_role("button", name="Make a segment of group B").click()
    expect(page.locator("#segment-name")).to_have_value(
        "Kinds of shoppers: B (days since the last purchase: higher)"
    )
