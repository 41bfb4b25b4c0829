"""A run's progress comes to the pages by itself."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, Response, expect

from campaigns import services
from campaigns.models import Delivery, DeliveryStatus, Run, RunStatus
from personalization.access.models import User
from tests.campaigns.conftest import make_campaign, make_customers

__all__ = ["make_campaign", "make_customers"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def run(make_customers: Any, make_campaign: Any) -> Run:
    make_customers(4)
    return services.launch(make_campaign(), actor="test")


def _send(run: Run) -> None:
    first = run.deliveries.filter(status=DeliveryStatus.PENDING).order_by("pk")[0]
    Delivery.objects.filter(pk=first.pk).update(status=DeliveryStatus.SENT)


def test_report_and_first_page_follow_a_run_and_ask_when_there_is_no_place_for_a_stream(
    page: Page, client: Client, live_server: Any, run: Run, settings: Any
) -> None:
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    heard: list[tuple[int, str]] = []

    def note(response: Response) -> None:
        if "report/data" in response.url or response.url.endswith("/campaigns/live"):
            heard.append((response.status, response.headers.get("content-type", "")))

    page.on("response", note)
    page.goto(f"/app/campaigns/{run.campaign_id}/report/")
    sent = page.locator(".rp-counts dd").first
    expect(sent).to_have_text("0")
    page.wait_for_timeout(100)
    _send(run)
    expect(sent).to_have_text("1")
    assert (200, "text/event-stream") in heard
    Run.objects.filter(pk=run.pk).update(status=RunStatus.PAUSED)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    Run.objects.filter(pk=run.pk).update(status=RunStatus.SENDING)

    page.goto("/admin/")
    row = page.get_by_role("row").filter(has_text="Sending")
    expect(row.get_by_role("cell").nth(4)).to_have_text("1")
    _send(run)
    expect(row.get_by_role("cell").nth(4)).to_have_text("2")

    settings.LIVE_STREAMS = 0
    heard.clear()
    page.goto(f"/app/campaigns/{run.campaign_id}/report/")
    expect(sent).to_have_text("2")
    _send(run)
    expect(sent).to_have_text("3")
    assert 204 in dict(heard) and (200, "application/json") in heard
    page.goto("about:blank")
    page.wait_for_timeout(300)  # an answer on its way would hold up the end of the test's database
