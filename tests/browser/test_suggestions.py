# ruff: noqa: E501, F811
"""Texts by a language model in the editor: asked for, approved, put in."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from campaigns.services import MessageDraft, save_campaign
from personalization.access.models import User
from personalization.language_model import calls
from personalization.language_model.models import Call, Endpoint
from tests.language_model.conftest import completion, endpoint, model_server  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
BODY = "<mjml><mj-body><mj-section><mj-column><mj-text>Our picks</mj-text></mj-column></mj-section></mj-body></mjml>"


def test_a_text_is_asked_for_approved_and_put_in(
    page: Page,
    model_server: Any,
    endpoint: Endpoint,
    accessible: Callable[[Page], None],
    shot: Callable[..., None],
) -> None:
    endpoint.save()
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)
    campaign = save_campaign(
        None, name="Spring", segment=None, actor="test",
        messages=[MessageDraft(key="a", subject="20 % off lamps", body=BODY)],
    )  # fmt: skip
    texts = {"suggestions": ["Lamps, now 20 % off", "Lamps, now 30 % off"]}
    model_server.answer = completion(json.dumps(texts))
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.goto(f"/app/campaigns/{campaign.pk}/")
    page.get_by_role("button", name="Suggest …").first.click()
    expect(page.locator("#sg-source")).to_have_value("20 % off lamps")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("The language model is asked …")).to_be_visible()
    calls.carry_out(Call.objects.get().pk)
    expect(page.get_by_text("The percentage “30 %” is not among the facts.")).to_be_visible()
    accessible(page)
    shot(page, "suggestions", full_page=True)
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Put it in").click()
    expect(page.locator("#m-subject")).to_have_value("Lamps, now 20 % off")
    page.goto("/app/suggestions/?status=approved")
    expect(page.get_by_text("Lamps, now 20 % off")).to_be_visible()
    accessible(page)
    shot(page, "suggestions_list")
