"""The Connect page in the browser, and its snippet for web pages on a page of another origin."""

import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from campaigns.onsite import answering
from campaigns.onsite.deadline import Deadline
from campaigns.onsite.models import Placement
from personalization.access.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def test_the_snippet_made_there_fills_a_page(
    page: Page, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch,
    accessible: Callable[[Page], None], shot: Callable[..., None], client: Any, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr(answering, "_deadline", Deadline(20.0))
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.SITE_URL = live_server.url
    Placement.objects.create(key="front", name="Front page", fallback="From the shop")
    client.force_login(User.objects.create_superuser("ada"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])
    page.goto("/app/connect/")
    accessible(page)
    page.get_by_role("button", name="Make a key and put it in").click()
    expect(page.get_by_text("shown only now")).to_be_visible()
    shot(page, "connect")
    code = page.locator("#cn-page-code").inner_text()
    assert 'data-bespoke="front"' in code and "sdk-" in code

    slot = code.replace("Default content", "")
    (tmp_path / "index.html").write_text(f"<!doctype html><title>Shop</title>{slot}")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as shop:
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{shop.server_port}/")
        expect(page.locator("[data-bespoke-done]")).to_have_text("From the shop", timeout=20_000)
        shop.shutdown()
    page.goto("/app/connect/")
    page.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": page.url}])
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    page.reload()
    accessible(page)
    shot(page, "connect-phone")
