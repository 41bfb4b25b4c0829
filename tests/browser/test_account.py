"""A member of staff secures the own account: a second factor, the next log-in with it, the browsers."""

import re
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect

from personalization.access.models import SecondFactor, User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def member(settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)


def give_password(page: Page) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_a_second_factor_from_the_picture_to_the_next_log_in(
    page: Page, accessible: Callable[[Page], None], shot: Callable[..., None]
) -> None:
    give_password(page)
    page.goto("/app/account/")
    page.get_by_role("link", name="Set up").click()
    expect(page.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
    secret = page.locator("code.b-break").inner_text()
    accessible(page)
    shot(page, "account-set-up")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator(".b-codes li")).to_have_count(10)
    recovery = page.locator(".b-codes code").first.inner_text()
    shot(page, "account-codes")

    page.context.clear_cookies()
    give_password(page)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    accessible(page)
    shot(page, "account-code")
    page.get_by_label(re.compile("Code of your authenticator app")).fill(recovery)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()

    page.goto("/app/account/")
    expect(page.get_by_text("9 recovery codes left")).to_be_visible()
    page.get_by_role("button", name="Log out everywhere else").click()
    expect(page.get_by_text("1 browser is logged out.")).to_be_visible()
    assert SecondFactor.objects.get().confirmed_at is not None
    accessible(page)
    shot(page, "account")
    page.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": page.url}])
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.goto("/app/account/")
    accessible(page)
    shot(page, "account-phone", full_page=True)
