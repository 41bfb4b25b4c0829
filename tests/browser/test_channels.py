"""A text message is written, and senders and webhooks are set up, in a real browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from personalization.access.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_sms_is_written_and_its_sender_set_up(page: Page, accessible: Any, shot: Any) -> None:
    User.objects.create_superuser("root", "root@shop.example", "a long password")
    page.goto("/admin/login/?next=/app/campaigns/senders/")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("a long password")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Text message (SMS)").click()
    page.get_by_label("Name", exact=True).fill("Gateway")
    page.get_by_label("Account SID").fill("AC123456")
    page.get_by_label("Auth token").fill("canary")
    page.get_by_role("textbox", name="Sender", exact=True).fill("Shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Kept encrypted; leave empty to keep it.")).to_be_visible()
    accessible(page)
    shot(page, "sender")
    page.goto("/app/campaigns/senders/")
    expect(page.get_by_role("link", name="Gateway")).to_be_visible()
    accessible(page)
    shot(page, "senders")

    page.goto("/app/campaigns/new/")
    page.get_by_label("Channel").select_option("sms")
    expect(page.get_by_label("Subject")).to_be_hidden()
    page.locator("#m-body").fill("Hello. STOP to end")
    expect(page.locator(".ce-card")).to_contain_text("Hello. STOP to end")
    expect(page.get_by_text(re.compile("1 part, GSM-7, 18 used, 142 left"))).to_be_visible()
    page.get_by_label("Send a test to").fill("12")
    page.get_by_role("button", name="Send the test").click()
    expect(page.get_by_role("alert").filter(has_text="phone number with country code")).to_be_visible()
    accessible(page)
    shot(page, "sms")

    page.goto("/app/webhooks/new")
    page.get_by_label("Name", exact=True).fill("CRM")
    page.get_by_label("Address").fill("https://crm.example/in")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The secret, shown only now: whsec_")).to_be_visible()
    accessible(page)
    shot(page, "webhook")
