"""A report leaves the house: as pictures, on paper, and at an address for people without an account."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from campaigns import services
from campaigns.models import Campaign, CampaignStatus, Run, RunStatus
from tests.browser.test_experiment_report import START, experiment
from tests.browser.test_workflow import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["experiment"]  # a fixture


@pytest.fixture
def shared_run(experiment: Any, analyse: Callable[..., Any]) -> Run:
    """A finished campaign whose experiment has 600 customers in three variants."""
    draft = services.MessageDraft(key="a", name="A", subject="Hi", body="{{ unsubscribe_url }}")
    campaign = services.save_campaign(None, name="Spring", segment=None, messages=[draft], actor="user:ada")
    Campaign.objects.update(status=CampaignStatus.LAUNCHED)
    run = Run.objects.create(
        campaign=campaign, number=1, experiment=experiment, content={"variants": {}}, audience_size=600,
        launched_by="user:ada", launched_at=START, finished_at=START, status=RunStatus.FINISHED,
    )  # fmt: skip
    analyse(experiment)
    return run


def test_a_report_is_saved_as_a_picture_printed_and_shared(
    shared_run: Run, page: Page, browser: Browser, live_server: Any,
    accessible: Callable[[Page], None], shot: Callable[..., None],
) -> None:  # fmt: skip
    log_in(page, "ada", f"/app/campaigns/{shared_run.campaign_id}/report/")
    page.locator("#chart-forest").scroll_into_view_if_needed()
    expect(page.locator("#chart-forest svg")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Picture (PNG)").first.click()
    picture = Path(saved.value.path()).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 5_000
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print or save as PDF")).to_be_hidden()
    assert page.pdf().startswith(b"%PDF")
    page.emulate_media(media="screen")
    page.get_by_text("Share this report").click()
    page.get_by_label("For whom").fill("Board")
    page.get_by_role("button", name="Make an address").click()
    found = re.search(r"/r/[\w-]{40,}", page.content())
    assert found
    stranger = browser.new_context(base_url=live_server.url).new_page()
    stranger.goto(found[0])
    expect(stranger.get_by_role("heading", name=shared_run.campaign.name)).to_be_visible()
    stranger.locator("#chart-forest").scroll_into_view_if_needed()
    expect(stranger.locator("#chart-forest svg")).to_be_visible()
    accessible(stranger)
    shot(stranger, "shared-report", full_page=True)
    page.get_by_role("button", name="Take back").click()
    stranger.reload()
    expect(stranger.get_by_text("has expired or was taken back")).to_be_visible()
    stranger.context.close()
