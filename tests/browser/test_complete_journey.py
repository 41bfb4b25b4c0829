"""The main job on real input by hand: a campaign over the households of Complete Journey in four variants and
a control group, made and launched in the browser; ledger, server and report agree to the person."""

import os
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from campaigns.models import Delivery, Run, RunStatus
from experiments.services import ensure_default_metrics
from personalization.access.models import User
from personalization.demo import journey_campaign as job
from personalization.demo.journey import Journey, load
from tests.browser.test_first_campaign import PASSWORD, log_in, wait_until
from tests.demo.test_journey import FOLDER, needs_data

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), needs_data, pytest.mark.slow]
HOUSEHOLDS = None if os.environ.get("BESPOKE_WHOLE") else 300
NAMES = ("Picks", "Plain subject", "Three items", "What you buy")


@pytest.fixture
def shop(settings: Any, tmp_path: Any, live_server: Any) -> None:
    settings.DATA_DIR, settings.MODEL_DIR = tmp_path, tmp_path / "models"
    settings.SITE_URL = live_server.url
    load(Journey(FOLDER, households=HOUSEHOLDS), say=lambda text: None)
    with connection.cursor() as cursor:  # as a database that was not filled this minute
        cursor.execute("ANALYZE")
    job.find_segment(say=lambda text: None)
    job.train_model(say=lambda text: None)
    ensure_default_metrics()
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)


def duplicate(page: Page, name: str, subject: str) -> None:
    page.get_by_role("button", name="Duplicate").click()
    page.get_by_label("Variant name").fill(name)
    page.get_by_label("Subject", exact=True).fill(subject)


def make_campaign(page: Page) -> None:
    page.goto("/app/campaigns/new/")
    page.get_by_label("Campaign name").fill("Complete Journey")
    page.get_by_label("Segment", exact=True).select_option(label=job.SEGMENT_NAME)
    page.get_by_label("Sender address").fill("shop@shop.example")
    page.get_by_label(re.compile("Control group")).fill("0.2")
    page.get_by_label("Start from").select_option("picks")
    page.get_by_label("Variant name").fill(NAMES[0])
    subject = page.get_by_label("Subject", exact=True).input_value()
    duplicate(page, NAMES[1], "Six ideas for your next basket")
    duplicate(page, NAMES[2], subject)
    page.locator(".ce-rules > summary").click()
    page.get_by_label("How many items").fill("3")
    duplicate(page, NAMES[3], "Time for more?")
    page.get_by_label("How many items").fill("6")
    page.get_by_label("New or bought before").select_option("only")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/$"))
    launch = page.get_by_role("button", name="Launch now")
    expect(launch).to_be_enabled(timeout=120_000)  # once everything was checked
    launch.click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/report/"))


def told_by_report(page: Page) -> dict[str, int]:
    """Customers of each variant, from the table of the primary metric."""
    rows = page.locator("[data-part=tables] section").first.locator("tbody tr")
    return {
        row.locator("th").inner_text().split("\n")[0].strip(): int(row.locator("td").first.inner_text())
        for row in rows.all()
    }


def test_four_variants_and_a_control_agree_in_ledger_server_and_report(
    shop: None, page: Page, worker: Callable[[], None], mailbox: Any, shot: Callable[..., None]
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    page.set_default_timeout(120_000)
    log_in(page)
    make_campaign(page)
    worker()
    wait_until(lambda: Run.objects.get().status == RunStatus.FINISHED, seconds=300)

    run, (box, _url) = Run.objects.get(), mailbox
    ledger = Counter(Delivery.objects.filter(run=run).values_list("variant__name", flat=True))
    control = run.experiment.variants.get(is_control=True).name
    assert set(ledger) == {*NAMES, control} and sum(ledger.values()) == run.audience_size
    sent = Delivery.objects.filter(run=run, status="sent").values_list("customer__email", flat=True)
    assert Counter(address for address, _raw in box.messages) == Counter(sent)
    assert len(sent) == run.audience_size - ledger[control]
    assert {one.what: one.holds for one in job.compare_counts(run, server=Counter(sent))} == dict.fromkeys(
        ["audience", "sent", *run.experiment.variants.values_list("key", flat=True)], True
    )

    page.reload()
    expect(page.get_by_text(f"Audience of {run.audience_size}")).to_be_visible()
    expect(page.locator(".rp-counts dd").first).to_have_text(str(len(sent)))
    page.wait_for_selector("[data-part=tables] section tbody tr", timeout=60_000, state="attached")
    names = {name.removesuffix(" baseline"): n for name, n in told_by_report(page).items()}
    assert names == dict(ledger)
    shot(page, "complete-journey", full_page=True)
