"""A message is written in a second language in the editor, and each customer's text is seen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.services import MessageDraft, save_campaign
from personalization.access.models import User
from personalization.customers.models import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
BODY = '<p>Our picks</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'


def test_a_message_is_written_in_two_languages(
    page: Page, accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)
    Customer.objects.create(
        external_id="c1",
        first_name="Li",
        email="li@shop.example",
        language="zh-Hans",
        created_at=timezone.now(),
    )
    campaign = save_campaign(
        None, name="Spring", segment=None, actor="test",
        messages=[MessageDraft(key="a", name="A", subject="For you", body=BODY)],
    )  # fmt: skip
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.goto(f"/app/campaigns/{campaign.pk}/")
    page.get_by_label("Another language").fill("Chinese")
    page.get_by_role("button", name="Add language").click()
    expect(page.get_by_text("Write a language like zh or pt-br.")).to_be_visible()
    page.get_by_label("Another language").fill("zh")
    page.get_by_label("Another language").press("Enter")
    expect(page.get_by_role("tab", name="Chinese (zh)")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#m-subject")).to_have_value("")
    page.locator("#m-subject").fill("给您")
    page.get_by_role("button", name="Fill with the text for everybody").click()
    expect(page.locator("#m-subject")).to_have_value("给您")
    expect(page.locator("#m-body")).to_have_value(BODY)
    page.locator("#m-body").fill(BODY.replace("Our picks", "为您精选").replace("Unsubscribe</a>", "退订</a>"))
    expect(page.locator(".ce-subject")).to_have_text("给您")
    # Without a preview text an inbox shows how the message begins; two characters need little room.
    expect(page.locator(".ce-snip")).to_contain_text("为您精选")
    expect(page.get_by_text("Subject: 2 characters; phones show about 20, desktops 35.")).to_be_visible()
    page.get_by_role("button", name="Phone").click()
    expect(page.locator(".ce-inbox-phone .ce-face")).to_be_visible()
    accessible(page)
    shot(page, "languages")
    page.get_by_role("tab", name="For everybody").click()
    expect(page.locator("#m-subject")).to_have_value("For you")
    expect(page.locator(".ce-subject")).to_have_text("For you")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    translations: Any = campaign.messages.get().translations
    assert translations["zh"]["subject"] == "给您" and "为您精选" in translations["zh"]["body"]
    page.reload()
    expect(page.get_by_text("Text shown: Chinese (zh)")).to_be_visible()
    expect(page.locator(".ce-subject")).to_have_text("给您")
