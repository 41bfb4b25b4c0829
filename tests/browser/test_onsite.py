"""The snippet on a plain HTML page of another origin: filled, seen, clicked; private; down."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from campaigns.onsite import answering, live, services, showing
from campaigns.onsite.deadline import Deadline
from campaigns.onsite.models import Order
from campaigns.onsite.services import ContentDraft, OfferDraft
from experiments.traffic.client_keys import create_client_key
from personalization.customers.models import Customer, Identifier
from personalization.events.models import Event

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(live_server: Any) -> Iterator[Callable[..., str]]:
    """Serves one plain page; answers its address on an origin of its own."""
    key = create_client_key(name="site", created_by=None, actor="test").key
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path.split("?")[0], b"")
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def make(more: str = "", host: str = live_server.url) -> str:
        pages["/"] = f"""<!doctype html><title>Shop</title><h1>Shop</h1>
            <div data-bespoke="hero">Our default</div>
            <div data-bespoke="nowhere">Stays</div>
            <script async src="{live_server.url}/static/bespoke/onsite.js" data-key="{key}" {more}></script>
            """.encode()
        return f"http://127.0.0.1:{server.server_port}/"

    yield make
    server.shutdown()


@pytest.fixture
def offer(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # A busy machine is no reason to show the default content here; and no thread may keep a connection.
    monkeypatch.setattr(answering, "_deadline", Deadline(20.0))
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    live.forget()
    placement = services.save_placement(
        None, key="hero", name="Hero", fallback="<p>Welcome</p>", order=Order.PRIORITY, actor="test"
    )
    body = '<p>Today for you</p><a href="#sale">Look</a>'
    draft = OfferDraft(placement, "Sale", [ContentDraft("a", body)], control_share=0.0)
    made = services.save_offer(None, draft, by=None, actor="test")
    services.start_offer(made, at=timezone.now(), actor="test")
    yield
    live.forget()


def events() -> list[str]:
    showing.move()
    return sorted(Event.objects.values_list("name", flat=True))


def test_slots_are_filled_and_what_was_seen_and_clicked_is_known(
    offer: None, site: Callable[..., str], page: Page
) -> None:
    page.goto(site("data-wait=10000"))
    expect(page.get_by_text("Today for you")).to_be_visible()
    expect(page.get_by_text("Stays")).to_be_visible()
    with page.expect_response(lambda answer: "reports" in answer.url):
        page.get_by_role("link", name="Look").click()
    page.wait_for_timeout(300)
    assert events() == ["Experiment Viewed", "Message Clicked", "Message Opened"]
    visitor = page.evaluate("bespoke.anonymousId()")
    assert Identifier.objects.get(value=visitor).customer.events.count() == 3
    page.reload()
    expect(page.get_by_text("Today for you")).to_be_visible()
    page.wait_for_timeout(300)
    events()
    assert Customer.objects.count() == 1


def test_who_sends_global_privacy_control_is_nobody_to_us(
    offer: None, site: Callable[..., str], browser: Browser
) -> None:
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page = context.new_page()
    page.goto(site("data-wait=10000"))
    expect(page.get_by_text("Today for you")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0
    assert events() == [] and not Customer.objects.exists()
    context.close()


def test_before_consent_nothing_is_asked(offer: None, site: Callable[..., str], page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/" in request.url else None)
    page.goto(site("data-consent=required data-wait=10000"), wait_until="networkidle")
    expect(page.get_by_text("Our default")).to_be_visible()
    assert asked == [] and page.evaluate("localStorage.length") == 0
    page.evaluate("bespoke.consent(true)")
    expect(page.get_by_text("Today for you")).to_be_visible()


def test_when_we_are_down_or_slow_the_page_shows_its_own_content(
    offer: None, site: Callable[..., str], page: Page
) -> None:
    page.route("**/api/v1/decide", lambda route: route.abort())
    page.goto(site())
    expect(page.get_by_text("Our default")).to_be_visible()
    page.unroute("**/api/v1/decide")
    page.route("**/api/v1/decide", lambda route: None)  # never answers
    page.goto(site("data-wait=200"))
    expect(page.get_by_text("Our default")).to_be_visible()
    assert page.locator("[data-bespoke-done=late]").count() == 2
