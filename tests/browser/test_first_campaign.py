"""A campaign manager's first day: a segment, a campaign in two variants, a launch, a report."""

import re
import time
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from html import unescape
from typing import Any
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from campaigns.models import Campaign, Delivery, DeliveryStatus, Run, RunStatus
from personalization.access.models import User
from personalization.customers.models import Customer
from personalization.demo.services import load_shop
from personalization.demo.world import build_world
from personalization.events.models import Event
from personalization.segments.models import Segment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AGENT = {"User-Agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"}
PASSWORD = "correct horse battery"


@pytest.fixture
def shop(settings: Any, tmp_path: Any, live_server: Any) -> None:
    """The demo shop in small, with a trained recommender, and somebody who may do everything."""
    settings.DATA_DIR, settings.MODEL_DIR = tmp_path, tmp_path / "models"
    settings.MEDIA_ROOT, settings.SITE_URL = tmp_path / "media", live_server.url
    load_shop(build_world(n_customers=400, seed=5))
    call_command("train", algorithm="item_knn", wait=True)
    User.objects.create_superuser("ada", email="ada@shop.example", password=PASSWORD)


def log_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def make_segment(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/app/segments/new/")
    page.get_by_role("button", name="May get our e-mail").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Readers")
    expect(page.get_by_text("of 400 customers")).to_be_visible()
    shot(page, "segment")
    page.get_by_role("button", name="Save segment").click()
    page.wait_for_url(re.compile(r"/app/segments/\d+/"))
    expect(page.get_by_text("Version 1")).to_be_visible()


def make_campaign(page: Page, shot: Callable[..., None]) -> None:
    page.goto("/app/campaigns/new/")
    page.get_by_label("Campaign name").fill("Spring picks")
    page.get_by_label("Segment", exact=True).select_option(label="Readers")
    page.get_by_label("Sender address").fill("shop@shop.example")
    page.get_by_label(re.compile("Control group")).fill("0.2")
    page.get_by_label("Start from").select_option("picks")
    page.get_by_role("button", name="Duplicate").click()
    page.get_by_label("Variant name").fill("Short subject")
    page.get_by_label("Subject", exact=True).fill("{{ customer.first_name }}, these are for you")
    # The frame is sandboxed even from us: what it was given to show stands in its attribute. It is a random
    # customer's, in that customer's language.
    preview = page.locator("iframe[sandbox]")
    expect(preview).to_have_attribute(
        "srcdoc", re.compile("we think you will like|您可能会喜欢"), timeout=20_000
    )
    shot(page, "campaign")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/$"))
    # The page is no longer that of a new one.
    expect(page.get_by_role("heading", name="Spring picks", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Look before sending")).to_be_visible()
    page.get_by_role("button", name="Launch now").click()
    page.wait_for_url(re.compile(r"/app/campaigns/\d+/report/"))


def wait_until(true: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.2)


def open_and_click(messages: list[tuple[str, bytes]]) -> None:
    """Fetches each mail's pixel, and every second one's first link, as a mail program would."""
    for number, (_address, raw) in enumerate(messages):
        html = message_from_bytes(raw, policy=default).get_body(("html",)).get_content()
        addresses = [re.search(r'[^"]+/t/o/[^"]+', html)]
        if number % 2:
            addresses.append(re.search(r'[^"]+/t/c/[^"]+', html))
        for address in addresses:
            assert address is not None
            with build_opener(NoRedirect).open(Request(unescape(address[0]), headers=AGENT)) as answer:
                assert answer.status in (200, 302)


class NoRedirect(HTTPRedirectHandler):
    def http_error_302(self, request: Any, answer: Any, *_rest: Any) -> Any:
        return answer


def test_from_a_segment_to_the_report(
    shop: None, page: Page, worker: Callable[[], None], mailbox: Any, shot: Callable[..., None]
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page)
    shot(page, "home")
    make_segment(page, shot)
    make_campaign(page, shot)
    worker()
    wait_until(lambda: Run.objects.get().status == RunStatus.FINISHED, seconds=180)

    run, (box, _url) = Run.objects.get(), mailbox
    sent = set(
        Delivery.objects.filter(run=run, status=DeliveryStatus.SENT).values_list("customer__email", flat=True)
    )
    assert sorted(address for address, _message in box.messages) == sorted(sent)
    assert len({re.sub(rb"(?s).*\r\nSubject: (.*?)\r\n.*", rb"\1", raw) for _, raw in box.messages}) > 1

    open_and_click(box.messages[:40])
    page.reload()
    expect(page.get_by_text("Finished").first).to_be_visible()
    expect(page.get_by_text(f"Audience of {run.audience_size}")).to_be_visible()
    expect(page.locator(".rp-headline .b-sentence")).to_contain_text(re.compile(r"\w+ .*\."))
    page.locator("#chart-funnel").scroll_into_view_if_needed()
    expect(page.locator("#chart-funnel svg")).to_be_visible()
    opened = Event.objects.filter(name="Message Opened").values("customer").distinct().count()
    assert opened == 40
    shot(page, "report", full_page=True)


def test_the_pages_are_accessible_in_both_languages(
    shop: None, page: Page, accessible: Callable[[Page], None]
) -> None:
    log_in(page)
    segment, campaign, customer = (
        model.objects.order_by("pk").values_list("pk", flat=True)[0]
        for model in (Segment, Campaign, Customer)
    )
    paths = ["/admin/", "/app/campaigns/", f"/app/segments/{segment}/", f"/app/campaigns/{campaign}/"]
    for language in ("en", "zh-hans"):
        page.context.add_cookies([{"name": "django_language", "value": language, "url": page.url}])
        for path in [*paths, f"/app/customers/{customer}"]:
            page.goto(path)
            page.wait_for_load_state("networkidle")
            accessible(page)
