"""The product as a person meets it: live server, real worker and beat, real SMTP server, real browser."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiosmtpd.controller import Controller
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Mailbox:
    """What the SMTP server took: (recipient, raw message)."""

    messages: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append((envelope.rcpt_tos[0], envelope.content))
        return "250 taken"


@pytest.fixture(autouse=True, scope="module")
def _database_beside_playwright() -> Iterator[None]:
    # Playwright's sync API runs an event loop in this thread, which Django takes for an async caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    """The mailbox and the EMAIL_URL that leads to it."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:  # the controller cannot choose a port itself
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, f"smtp://127.0.0.1:{port}"
    controller.stop()


def database_url() -> str:
    given = connection.settings_dict
    host, user = quote(given["HOST"], safe=""), quote(given["USER"] or "")
    login = f"{user}:{quote(given['PASSWORD'], safe='')}" if given["PASSWORD"] else user
    port = f":{given['PORT']}" if given["PORT"] else ""
    return f"postgres://{login}@{host}{port}/{given['NAME']}"


@pytest.fixture
def worker(live_server: Any, mailbox: tuple[Mailbox, str], tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Starts worker and beat against the test's database when called; they end with the test."""
    started: list[subprocess.Popen[bytes]] = []
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "REDIS_URL": django_settings.REDIS_URL,
        "SECRET_KEY": django_settings.SECRET_KEY,
        "LINK_KEY": django_settings.LINK_KEY,
        "ADDRESS_KEY": django_settings.ADDRESS_KEY,
        "EMAIL_URL": mailbox[1],
        "SITE_URL": live_server.url,
        "BESPOKE_DATA_DIR": str(tmp_path),
        "IMPORT_DIR": str(tmp_path / "imports"),
        "MODEL_DIR": str(django_settings.MODEL_DIR),
        "TICK_SECONDS": "0.5",
        "ALLOW_HTTP": "1",
    }

    def start() -> None:
        command = [
            sys.executable, "-m", "celery", "--quiet", "-A", "personalization.config", "worker", "--beat",
            "-c", "1", "-Q", "send,default,train,analyse,ingest", "--loglevel", "WARNING",
            "--schedule", str(tmp_path / "beat"),
        ]  # fmt: skip
        with (tmp_path / "worker.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
                )
            )

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
    for process in started:
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A fresh window at desktop size; the test fails when the page's own scripts fail."""
    context = browser.new_context(
        viewport={"width": 1400, "height": 900}, locale="en-GB", base_url=live_server.url
    )
    window = context.new_page()
    errors: list[str] = []
    window.on("pageerror", lambda error: errors.append(str(error)))
    yield window
    context.close()
    assert errors == []


def serious_findings(page: Page, *, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds serious on the page (WCAG 2.2 AA), by these rules alone if any are named."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in Axe().run(page, options=options).response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Fails when axe finds something serious on the page."""

    def check(page: Page) -> None:
        assert serious_findings(page) == []

    return check


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Keeps a picture in $SCREENSHOTS, when that is set: the pictures of the README are made so."""
    folder = os.environ.get("SCREENSHOTS", "")

    def keep(page: Page, name: str, **options: Any) -> None:
        if folder:
            time.sleep(0.6)  # let charts finish their entrance
            page.screenshot(path=Path(folder) / f"{name}.png", **options)

    return keep
