"""`read_bounces --lmtp` as a mail server meets it: a process of its own, over a socket."""

import os
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from campaigns import services
from campaigns.models import Bounce, Delivery
from campaigns.tracking import links
from tests.browser.conftest import database_url
from tests.campaigns.feedback.test_reports import NUMBER, dsn

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def port(db: Any) -> Iterator[int]:
    names = ("REDIS_URL", "SECRET_KEY", "LINK_KEY", "ADDRESS_KEY", "SITE_URL")
    kept = {name: getattr(django_settings, name) for name in names}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "read_bounces", "--lmtp", "127.0.0.1:0"], cwd=ROOT,
        env={**os.environ, **kept, "DATABASE_URL": database_url()}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    yield int(process.stdout.readline().rpartition(":")[2])
    process.terminate()
    process.wait(timeout=10)


def test_a_bounce_that_comes_by_lmtp_is_taken(port: int, make_customers: Any, make_campaign: Any) -> None:
    make_customers(1, email="ann@example.com")
    run = services.launch(make_campaign(), actor="test")
    Delivery.objects.filter(run=run).update(status="sent", sent_at=timezone.now() - timedelta(days=1))
    delivery = Delivery.objects.get(run=run)
    number = links.message_id(delivery.pk, delivery.run_id, delivery.customer_id, "email")
    raw = dsn(status="5.1.1", diagnostic="550 5.1.1 User unknown").replace(NUMBER.encode(), number.encode())
    with smtplib.LMTP("127.0.0.1", port, timeout=10) as server:
        assert server.sendmail("", ["bounces@shop.example"], raw) == {}
    assert Bounce.objects.get().kind == "hard"
