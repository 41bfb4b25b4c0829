"""Every snippet of the Connect page, copied from the page and run with its real client on a live server."""

import html
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client

from campaigns.channels.webhook import sign
from campaigns.connect.snippets import SNIPPETS
from campaigns.onsite import answering
from campaigns.onsite.deadline import Deadline
from campaigns.onsite.models import Placement
from experiments import services
from experiments.models import ClientKey, Metric
from experiments.services import VariantSpec
from personalization.access.models import ApiKey, AuditEntry, Scope, User
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.traits.models import TraitDefinition

pytestmark = pytest.mark.django_db(transaction=True)
DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
SECRET = "whsec_" + "c2VjcmV0" * 5


@pytest.fixture
def shop(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SITE_URL = live_server.url
    # A busy machine is no reason to show the default content here; and no thread may keep a connection.
    monkeypatch.setattr(answering, "_deadline", Deadline(20.0))
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    Placement.objects.create(key="front", name="Front page", fallback="Hello")
    specs = [
        VariantSpec("control", "As it is", 1, is_control=True, value="grey"),
        VariantSpec("blue", "Blue", 1, value="blue"),
    ]
    experiment = services.create_experiment(key="color", name="Color", variants=specs, is_served=True)
    services.start_experiment(experiment, at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def copied(shop: None) -> dict[str, str]:
    """The snippets as a browser shows them after “Make a key and put it in”."""
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    page = client.post("/app/connect/").content.decode()
    found = re.findall(r'<pre class="cn-code" id="cn-(\w+)-code"[^>]*>(.*?)</pre>', page, flags=re.S)
    return {name: html.unescape(code) for name, code in found}


def run(command: list[str], code: str) -> str:
    done = subprocess.run(
        command, input=code, capture_output=True, text=True, timeout=60, env=os.environ | {"no_proxy": "*"}
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_page_has_them_all(copied: dict[str, str]) -> None:
    assert list(copied) == [snippet.name for snippet in SNIPPETS]
    assert not any("YOUR_KEY" in code for code in copied.values())


def test_a_shop_without_placements_and_experiments_is_told_what_the_names_stand_for(client: Client) -> None:
    client.force_login(User.objects.create_superuser("ada"))
    page = client.get("/app/connect/").content.decode()
    assert page.count("There is no placement yet") == page.count("No experiment is served yet") == 2
    Placement.objects.create(key="front", name="Front page", fallback="Hello")
    assert "There is no placement yet" not in client.get("/app/connect/").content.decode()


def test_curl(copied: dict[str, str]) -> None:
    said = run(["bash", "-e"], copied["curl"])
    assert Event.objects.get(name="Order Completed").value == 42
    assert '"external_id":"ada"' in said and '"content":"Hello"' in said


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_calls_of_the_documentation_lead_from_nothing_to_a_report(
    shop: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.ensure_default_metrics()
    usual = {"kind": "sum", "event": "Order Completed", "window_days": 365}
    TraitDefinition.objects.get_or_create(name="revenue_365_days", defaults=usual)  # a flush takes it away
    key = create_key(name="docs", scopes=list(Scope), created_by=User.objects.create_superuser("ada"))[1]
    monkeypatch.setenv("SITE_URL", settings.SITE_URL)
    monkeypatch.setenv("KEY", key)
    pages = [(DOCS / name).read_text() for name in ("integrate.md", "data-in.md", "customers.md")]
    blocks = [one for page in pages for one in re.findall(r"^```(\w*)\n(.*?)^```$", page, flags=re.S | re.M)]
    calls = [code for kind, code in blocks if not kind and ("$SITE_URL" in code or code.startswith("api "))]
    assert len(calls) == 4
    said = run(["bash", "-euo", "pipefail"], "\n".join(calls))
    assert Customer.objects.get().email == "ada@shop.example"
    assert '"audience":1,' in said and re.search(r'"key":"campaign-\d+-run-\d+"', said)
    assert Metric.objects.get(role="primary", archived_at=None).event == "Order Line"


def test_segment(copied: dict[str, str]) -> None:
    assert run([sys.executable, "-"], copied["segment"]) == ""
    assert Customer.objects.get().email == "ada@shop.example"
    assert Event.objects.filter(name="Product Viewed").exists()


def test_growthbook_and_openfeature_agree(copied: dict[str, str]) -> None:
    theirs = run([sys.executable, "-"], copied["growthbook"]).strip()
    assert theirs in ("grey", "blue")
    assert run([sys.executable, "-"], copied["openfeature"]).strip() == theirs
    seen = Event.objects.get(name="Experiment Viewed").properties
    assert seen["experimentId"] == "color"


@pytest.fixture
def receiver(copied: dict[str, str]) -> Iterator[tuple[str, Any]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", copied["webhook"]],
        env=os.environ | {"PORT": str(port), "WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield f"http://127.0.0.1:{port}/", process
    process.kill()
    process.wait()


def post(url: str, body: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, body.encode(), headers, method="POST")
    for _attempt in range(300):
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:  # it is still starting
            time.sleep(0.1)
    raise AssertionError("the receiver did not start")


def test_the_receiver_takes_what_we_signed_and_nothing_else(receiver: tuple[str, Any]) -> None:
    url, process = receiver
    body = '{"type": "message.clicked", "data": {"customer": "ada"}}'
    assert post(url, body, sign(body, secret=SECRET, key="evt_1")) == 204
    assert process.stdout.readline() == "evt_1 message.clicked ada\n"
    forged = sign(body, secret="whsec_" + "b3RoZXIw" * 5, key="evt_2")
    assert post(url, body, forged) == 400


def test_the_key_is_shown_once_and_may_do_no_more_than_the_snippets(copied: dict[str, str]) -> None:
    key = ApiKey.objects.get()
    assert key.scopes == ["customers:read", "decide", "ingest"]
    assert key.prefix in copied["curl"]
    assert {"key.created", "client_key.created"} <= set(AuditEntry.objects.values_list("action", flat=True))
    client = Client()
    client.force_login(User.objects.get())
    again = client.get("/app/connect/").content.decode()
    assert key.prefix not in again and "bsp_YOUR_KEY" in again
    client.post("/app/connect/")
    assert ClientKey.objects.count() == 1


def test_who_may_not_make_keys_makes_none(shop: None) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    client = Client()
    client.force_login(viewer)
    assert client.post("/app/connect/").status_code == 403
    page = client.get("/app/connect/").content.decode()
    assert "an administrator makes keys" in page and "Make a key" not in page
    assert not ApiKey.objects.exists()
