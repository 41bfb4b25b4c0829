"""Every page that the product mounts, as a reader of screens meets it: in light and in dark."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from personalization.access.models import User
from personalization.customers.models import Customer
from tests.access.test_role_matrix import CUSTOMER_ID, routes
from tests.browser.conftest import serious_findings
from tests.privacy.making import NOW, NUMBER, make_rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Other people's pages, and what is no page.
NOT_OURS = ("api/docs", "admin/jsi18n", "admin/logout", "i18n/")
DARK = "document.documentElement.classList.add('dark'); document.documentElement.style.colorScheme = 'dark'"


@pytest.fixture
def pages(live_server: Any) -> list[str]:
    """The addresses that answer with a page once there is one row of everything."""
    customer = Customer.objects.create(
        pk=NUMBER, external_id=CUSTOMER_ID, email="ada@mail.example", first_name="Ada", created_at=NOW
    )
    make_rows(customer, "made", numbered=True)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("kim", password="secret"))
    found = []
    for path in routes():
        answer = client.get(f"/{path}")
        is_page = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
        if is_page and b"<html" in answer.content and not path.startswith(NOT_OURS):
            found.append(path)
    return found


def test_no_page_has_a_serious_finding(page: Page, pages: list[str], live_server: Any) -> None:
    assert len(pages) > 60
    client = Client()
    client.force_login(User.objects.get(username="kim"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    found = {}
    for path in pages:
        page.goto(f"/{path}")
        problems = serious_findings(page)
        page.evaluate(DARK)
        problems += [f"dark: {one}" for one in serious_findings(page, rules=["color-contrast"])]
        if problems:
            found[path] = problems
    assert not found, "\n".join(f"{path}: {one}" for path, problems in found.items() for one in problems)
