"""The picture of how fast a run was sent: what the ledger says, minute by minute, and the rates that held."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.models import Delivery, Run
from campaigns.reports.speed import HEIGHT, WIDTH, Speed, read_speed, speed_picture
from personalization.access.models import User

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def run(make_customers: Any, make_campaign: Any) -> Run:
    """Launched at 20 s past, four minutes ago, with 3, 0 and 6 messages in its first three minutes and one
    that waits."""
    make_customers(10)
    run = services.launch(make_campaign(timing={"per_second": 0.1}), actor="test")
    begin = (timezone.now() - 4 * MINUTE).replace(second=20)
    Run.objects.update(launched_at=begin)
    run.refresh_from_db()
    for n, pk in enumerate(Delivery.objects.order_by("pk").values_list("pk", flat=True)[:9]):
        at = begin + (2 * MINUTE if n >= 3 else timedelta(0)) + timedelta(seconds=n)
        Delivery.objects.filter(pk=pk).update(status="sent", sent_at=at)
    return run


@pytest.mark.django_db
@pytest.mark.parametrize("second", [10, 50], ids=["earlier in the minute", "later in the minute"])
def test_each_minute_has_its_messages_of_the_ledger(run: Run, second: int) -> None:
    with time_machine.travel((run.launched_at + 4 * MINUTE).replace(second=second), tick=False):
        picture = speed_picture(read_speed(run))
    assert [bar["n"] for bar in picture["bars"]][:4] == [3, 0, 6, 0]
    assert picture["most"] == 6 and picture["bars"][2]["height"] == HEIGHT
    assert picture["bars"][0]["height"] == HEIGHT / 2


@pytest.mark.django_db
def test_a_change_of_the_rate_is_a_step_in_the_line(run: Run) -> None:
    with time_machine.travel(run.launched_at + 2 * MINUTE, tick=False):
        services.change_rate(run, per_second=0.05, actor="test")
    first, second = speed_picture(read_speed(run))["limits"]
    assert (first["per_minute"], second["per_minute"]) == (6.0, 3.0)
    assert first["x1"] < first["x2"] == second["x1"] < second["x2"] == WIDTH
    assert (first["y"], second["y"]) == (1.0, HEIGHT / 2)


@pytest.mark.django_db
def test_a_run_that_was_over_at_once_has_no_picture(run: Run) -> None:
    Run.objects.update(finished_at=run.launched_at + timedelta(seconds=30))
    run.refresh_from_db()
    assert read_speed(run) is None


@pytest.mark.django_db
def test_the_report_shows_it_with_the_new_rate_in_words(run: Run, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", "root@shop.example", "x"))
    services.change_rate(run, per_second=2, actor="test")
    page = client.get(f"/app/campaigns/{run.campaign_id}/report/").content.decode()
    assert "Messages a minute, at most 6; each bar stands for 60 seconds." in page
    assert ": at most 2 a second." in page


@pytest.mark.parametrize(
    ("days", "step"), [(0.01, MINUTE), (0.2, 5 * MINUTE), (2, 60 * MINUTE), (400, timedelta(days=1))]
)
@pytest.mark.django_db
def test_a_long_run_has_longer_bars_and_at_most_sixty(run: Run, days: float, step: timedelta) -> None:
    Run.objects.update(launched_at=timezone.now() - timedelta(days=days))
    Delivery.objects.filter(status="sent").update(sent_at=timezone.now())
    run.refresh_from_db()
    speed = read_speed(run)
    assert speed.step == step and sum(speed.counts.values()) == 9
    assert len(speed_picture(speed)["bars"]) <= 60


def test_a_rate_far_above_what_is_sent_does_not_press_the_bars_flat() -> None:
    speed = Speed(MINUTE, BEGIN, BEGIN + 2 * MINUTE, {BEGIN: 10}, [(BEGIN, 1000.0)])
    picture = speed_picture(speed)
    assert picture["bars"][0]["height"] == HEIGHT and picture["limits"] == []
