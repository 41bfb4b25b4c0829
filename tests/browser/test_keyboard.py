"""Without a mouse: the keyboard reaches what a page offers, and one sees where it is."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Count
from playwright.sync_api import Page, expect

from campaigns.models import Campaign, Message, Run
from personalization.access.models import User
from personalization.demo.services import load_shop
from personalization.demo.world import build_world
from personalization.segments.models import Segment
from tests.browser.test_shared_report import experiment, shared_run
from tests.browser.test_workflow import log_in

__all__ = ["experiment", "shared_run"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
MOST_STOPS = 250
# What has the focus: its name, and whether that shows on it or on what it stands in.
FOCUSED = """() => {
  const one = document.activeElement;
  const shows = (el) => {
    const style = getComputedStyle(el);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return outlined || style.boxShadow !== "none";
  };
  const labels = [one.getAttribute("aria-label"), one.labels?.[0]?.textContent, one.title, one.textContent];
  const around = [one, one.parentElement, one.parentElement?.parentElement].filter(Boolean);
  return {
    page: one === document.body || one === document.documentElement,
    name: (labels.find(Boolean) || "").replace(/\\s+/g, " ").trim(),
    kind: one.tagName,
    shown: one.tagName === "IFRAME" || around.some(shows),
  };
}"""


@pytest.fixture
def shop(settings: Any, tmp_path: Any, live_server: Any, page: Page) -> None:
    settings.DATA_DIR, settings.MODEL_DIR = tmp_path, tmp_path / "models"
    settings.MEDIA_ROOT, settings.SITE_URL = tmp_path / "media", live_server.url
    load_shop(build_world(n_customers=60, seed=5))
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)
    page.goto("/")
    page.get_by_label("Username").focus()
    for word, key in (("ada", "Tab"), (PASSWORD, "Enter")):
        page.keyboard.type(word)
        page.keyboard.press(key)
        if key == "Tab" and page.evaluate(FOCUSED)["kind"] != "INPUT":
            page.get_by_label("Password").first.focus()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def reach(page: Page, name: str) -> None:
    """Goes on by Tab until the focus stands on what is called so."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if re.search(name, page.evaluate(FOCUSED)["name"]):
            return
    raise AssertionError(f"the keyboard does not come to {name}")


def stops(page: Page) -> list[dict[str, Any]]:
    """All the places at which Tab stops, once through the page."""
    found: list[dict[str, Any]] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop["page"] and found:
            return found
        found.append(stop)
    raise AssertionError(f"the keyboard does not come out of {found[-1]}")


def test_a_segment_is_made_by_keyboard_alone(shop: None, page: Page) -> None:
    page.goto("/app/segments/new/")
    reach(page, "^add ?Condition|^Condition")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Trait", exact=True)).to_be_focused()
    page.keyboard.type("country")
    reach(page, "^Value")
    page.keyboard.type("GB")
    reach(page, "Condition$")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Trait", exact=True)).to_have_count(2)
    reach(page, "Remove this condition")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Trait", exact=True)).to_have_count(1)
    expect(page.locator(".sb-foot button").first).to_be_focused()
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    undo.focus()
    for _ in range(20):
        page.keyboard.press("Enter")
    expect(undo).to_be_focused()  # also when nothing is left to undo
    expect(undo).to_have_attribute("aria-disabled", "true")
    redo.focus()
    for _ in range(20):
        page.keyboard.press("Enter")
    expect(page.get_by_label("Trait", exact=True)).to_have_count(1)
    page.locator("#segment-name").focus()
    page.keyboard.type("Britons")
    reach(page, "Save segment")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/app/segments/\d+/"))
    assert Segment.objects.get(name="Britons").versions.get().definition == {
        "all": [{"trait": "country", "op": "is", "value": "GB"}]
    }


def test_home_and_end_lead_to_the_first_and_the_last_variant(shop: None, page: Page) -> None:
    messages = Message.objects.values("campaign").annotate(n=Count("pk")).filter(n__gt=1)
    page.goto(f"/app/campaigns/{messages.order_by('campaign')[0]['campaign']}/")
    tabs = page.get_by_role("tablist", name="Variants").get_by_role("tab")
    tabs.first.focus()
    page.keyboard.press("End")
    expect(tabs.last).to_be_focused()
    page.keyboard.press("Home")
    expect(tabs.first).to_be_focused()


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        (
            "/app/campaigns/{campaign}/",
            ["Campaign name", "Segment", "Variant name", "Control group", "Save", "Launch now"],
        ),
        ("/app/segments/new/", ["Condition", "Save segment"]),
    ],
)
def test_the_keyboard_comes_everywhere_and_shows_where_it_is(
    shop: None, page: Page, address: str, wanted: list[str]
) -> None:
    campaign = Campaign.objects.order_by("pk").values_list("pk", flat=True).first()
    page.goto(address.format(campaign=campaign))
    page.wait_for_load_state("networkidle")
    found = stops(page)
    names = " · ".join(stop["name"] for stop in found)
    assert [name for name in wanted if name not in names] == []
    assert [stop["name"] or stop["kind"] for stop in found if not stop["shown"]] == []


def test_a_report_is_read_steered_and_shared_by_keyboard_alone(shared_run: Run, page: Page) -> None:
    log_in(page, "ada", f"/app/campaigns/{shared_run.campaign_id}/report/")
    # Not until the network is idle: a report listens for news as long as it is open.
    forest = page.locator("#chart-forest")
    expect(forest.locator("svg")).to_be_attached()
    found = stops(page)
    names = [stop["name"] for stop in found]
    wanted = [
        "Whom to mail",
        "What was sent",
        "Print or save as PDF",
        "More",
        "Numbers",
        "Picture",
        "Compare groups",
    ]
    assert [one for one in [*wanted, "Share this report"] if not any(one in name for name in names)] == []
    assert [stop["name"] or stop["kind"] for stop in found if not stop["shown"]] == []
    reach(page, "^More$")
    page.keyboard.press("Enter")
    reach(page, "^All campaigns$")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="All campaigns")).to_be_hidden()
    assert page.evaluate(FOCUSED)["name"] == "More"
    # What the pointer is told by a chart stands in a table.
    reach(page, "^Numbers$")
    page.keyboard.press("Enter")
    table = page.get_by_role("region", name="Effect against the baseline, 95 % interval")
    expect(table.get_by_role("row", name="New page · Revenue")).to_be_visible()
    page.keyboard.press("Tab")
    expect(table).to_be_focused()
    reach(page, "^Share this report")
    page.keyboard.press("Enter")
    reach(page, "^For whom")
    page.keyboard.type("Board")
    reach(page, "^Make an address")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"/r/[\w-]{40,}"))).to_be_visible()
    reach(page, "^Take back")


def test_an_experiments_report_is_read_by_keyboard_alone(
    experiment: Any, analyse: Callable[..., Any], page: Page
) -> None:
    analyse(experiment)
    log_in(page, "ada", "/app/experiments/page/")
    expect(page.locator("#chart-forest svg")).to_be_attached()
    found = stops(page)
    names = " · ".join(stop["name"] for stop in found)
    wanted = ["Whom to mail", "All experiments", "Numbers", "CSV", "Compare groups", "Share this report"]
    assert [name for name in wanted if name not in names] == []
    assert [stop["name"] or stop["kind"] for stop in found if not stop["shown"]] == []
