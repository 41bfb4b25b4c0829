"""Rules for recommended items as a campaign manager sets them, live beside the preview."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Message
from personalization.access.models import User
from personalization.catalog.models import Item
from personalization.demo.services import load_shop
from personalization.demo.world import build_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


@pytest.fixture
def shop(settings: Any, tmp_path: Any, live_server: Any) -> None:
    settings.DATA_DIR, settings.MODEL_DIR = tmp_path, tmp_path / "models"
    settings.MEDIA_ROOT, settings.SITE_URL = tmp_path / "media", live_server.url
    load_shop(build_world(n_customers=150, seed=5))
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)


def pick(page: Page, label: str, words: str, choice: str) -> None:
    page.get_by_role("combobox", name=label).fill(words)
    page.get_by_role("button", name=choice).click()
    expect(page.get_by_role("button", name=f"Remove {choice}")).to_be_visible()
    expect(page.locator(".ce-picker .ce-found button")).to_have_count(0)


def test_rules_are_set_seen_and_saved(
    shop: None, page: Page, accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/app/campaigns/new/")
    page.get_by_label("Campaign name").fill("Something else")
    page.get_by_label("Sender address").fill("shop@shop.example")
    page.get_by_label("Start from").select_option("picks")
    page.locator(".ce-rules summary").click()

    first = Item.objects.filter(is_hidden=False).exclude(stock=0).order_by("pk")[0]
    page.get_by_label("How many items").fill("4")
    page.get_by_label("Not again for").fill("3")
    page.get_by_label("Most of one category").fill("2")
    page.get_by_label("Variety").select_option("0.7")
    pick(page, "Only these categories", first.categories[0], first.categories[0])
    pick(page, "Pinned items", first.name, first.name)
    summary = page.locator(".ce-rules-sum")
    expect(summary).to_have_text(
        f"New to the customer, only from {first.categories[0]}, at most 2 of a category, "
        "nothing from the last 3 messages, more variety, 1 pinned first"
    )
    expect(page.get_by_text(re.compile(r"^\d+ of \d+ items can be recommended\.$"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Only these categories: \d+ items fewer$"))).to_be_visible()
    accessible(page)
    shot(page, "rules", full_page=True)

    page.get_by_label("Price from").fill("9")
    page.get_by_label("Price to").fill("3")
    expect(page.get_by_text("Price to: The highest price is less than the lowest.")).to_be_visible()
    page.get_by_label("Price from").fill("")
    page.get_by_label("Price to").fill("")
    expect(page.get_by_text("Price to: The highest price is less than the lowest.")).to_be_hidden()

    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/$"))
    assert Message.objects.get(campaign__name="Something else").rules == {
        "categories": [first.categories[0]], "max_per_category": 2, "pinned": [first.pk], "diversity": 0.7,
        "not_in_last_messages": 3,
    }  # fmt: skip
    page.reload()
    expect(summary).to_contain_text("at most 2 of a category")
    summary.click()
    expect(page.get_by_label("Variety")).to_have_value("0.7")
    expect(page.get_by_role("button", name=f"Remove {first.name}")).to_be_visible()
