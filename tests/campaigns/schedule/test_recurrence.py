"""Repetition on wall clocks, and the hour at which each customer acts."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import time_machine
from django.utils import translation

from campaigns import services, tasks
from campaigns.errors import InvalidCampaign
from campaigns.models import CampaignStatus
from campaigns.schedule.best_hour import choose_hours
from campaigns.schedule.recurrence import first, occurrences, parts_of
from campaigns.schedule.timing import Timing, TimingError
from campaigns.schedule.words import describe_repeat
from personalization.events.services import NewEvent, record_events

BERLIN = ZoneInfo("Europe/Berlin")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def test_nine_in_the_morning_stays_nine_over_the_change_of_clocks() -> None:
    start = datetime(2026, 3, 27, 9)
    found = first("FREQ=DAILY", 4, start=start, zone=BERLIN)
    assert [at.hour for at in found] == [8, 8, 7, 7]  # UTC; clocks go forward on the 29th
    assert {at.astimezone(BERLIN).hour for at in found} == {9}


def test_an_hour_that_a_night_skips_or_repeats_is_used_once() -> None:
    skipped = first("FREQ=DAILY", 3, start=datetime(2026, 3, 28, 2, 30), zone=BERLIN)
    assert skipped == [utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1), utc(2026, 3, 30, 0, 30)]
    repeated = first("FREQ=DAILY", 3, start=datetime(2026, 10, 24, 2, 30), zone=BERLIN)
    assert repeated == [utc(2026, 10, 24, 0, 30), utc(2026, 10, 25, 0, 30), utc(2026, 10, 26, 1, 30)]


def test_what_lies_behind_is_left_out_and_an_end_ends_it() -> None:
    rule = "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3"
    start = datetime(2026, 11, 24, 9)
    every = first(rule, 9, start=start, zone=BERLIN)
    assert [at.day for at in every] == [24, 26, 1]
    assert first(rule, 9, start=start, zone=BERLIN, after=every[0]) == every[1:]
    assert list(islice(occurrences("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", start=start, zone=BERLIN), 1)) == []


@pytest.mark.parametrize("rule", ["FREQ=HOURLY", "DAILY", "FREQ=DAILY;BYHOUR=9", "FREQ=DAILY;X=1", ""])
def test_what_is_no_repetition_of_days_is_refused(rule: str) -> None:
    with pytest.raises(ValueError):
        parts_of(rule)


def test_common_rules_are_said_in_words_and_others_as_they_are() -> None:
    with translation.override("en"):
        said = describe_repeat(Timing(repeat="FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", starts="2026-12-01T09:00"))
        assert said == "every week on Tuesday, Thursday at 09:00, 3 times"
        assert describe_repeat(Timing(repeat="FREQ=DAILY;INTERVAL=2")) == "every 2 days"
        assert describe_repeat(Timing(repeat="FREQ=MONTHLY;BYDAY=2TU")) == "FREQ=MONTHLY;BYDAY=2TU"


def test_a_timing_survives_being_written_down() -> None:
    timing = {
        "mode": "local", "hour": "18:30", "window": {"from": "09:00", "until": "20:00", "days": [0, 1]},
        "quiet": "own", "own_quiet": {"from": "21:00", "until": "07:00"}, "cap_rule": "wait",
    }  # fmt: skip
    assert Timing.from_json(timing).as_json() == timing
    assert Timing.from_json({}).as_json() == {}
    for wrong in ({"mode": "x"}, {"y": 1}, {"repeat": "FREQ=HOURLY"}, {"zone": "Mars"}, {"hour": "25:00"}):
        with pytest.raises(TimingError):
            Timing.from_json(wrong)


def test_a_customers_few_actions_are_drawn_to_the_hours_of_all() -> None:
    def hours(**counts: int) -> np.ndarray:
        found = np.zeros(24)
        for name, n in counts.items():
            found[int(name[1:])] = n
        return found

    everybody = {n: hours(h19=10) for n in range(50)}
    found = choose_hours(everybody | {100: hours(h6=2, h7=1), 101: hours(h6=30), 102: hours(h6=2)})
    assert found[100] == 19  # three actions say less than what all others do
    assert found[101] == 6 and 102 not in found and found[0] == 19


pytestmark_db = pytest.mark.django_db(transaction=True)


@pytestmark_db
def test_a_repeated_campaign_is_launched_each_time_and_stays_planned(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.send_chunk, "delay", lambda pk: None)
    make_customers(2)
    with time_machine.travel(utc(2026, 3, 26, 12)) as clock:
        campaign = make_campaign(timing={"repeat": "FREQ=DAILY;COUNT=3", "zone": "Europe/Berlin"})
        services.schedule(campaign, at=utc(2026, 3, 27, 8), actor="test")  # nine in Berlin
        for day, hour in ((27, 8), (28, 8), (29, 7)):
            campaign.refresh_from_db()
            assert campaign.scheduled_at == utc(2026, 3, day, hour)
            clock.move_to(utc(2026, 3, day, hour) + timedelta(seconds=1))
            tasks.launch_due(campaign.pk)
            send_all(campaign.runs.order_by("-number").first())
        campaign.refresh_from_db()
        assert campaign.status == CampaignStatus.LAUNCHED and campaign.runs.count() == 3
    assert sink.recipients == {"c0@example.com": 3, "c1@example.com": 3}


@pytestmark_db
def test_by_local_time_each_is_sent_to_at_nine_of_their_own_day(
    sink: Any, make_customers: Any, make_campaign: Any, send_all: Any
) -> None:
    zones = ["Pacific/Kiritimati", "Europe/Berlin", "America/Los_Angeles", "Pacific/Pago_Pago", ""]
    for n, zone in enumerate(zones):
        make_customers(1, start=n, time_zone=zone)
    with time_machine.travel(utc(2026, 6, 9, 12)) as clock:
        campaign = make_campaign(timing={"mode": "local", "hour": "09:00"})
        services.schedule(campaign, at=utc(2026, 6, 11, 15), actor="test")
        campaign.refresh_from_db()
        assert campaign.scheduled_at == utc(2026, 6, 10, 19)  # 09:00 of the 11th at UTC+14
        clock.move_to(campaign.scheduled_at)
        run = services.launch(campaign, actor="test")
        dues = list(run.chunks.order_by("due_at").values_list("due_at", flat=True))
        assert dues == [
            utc(2026, 6, 10, 19), utc(2026, 6, 11, 7), utc(2026, 6, 11, 9), utc(2026, 6, 11, 16),
            utc(2026, 6, 11, 20),
        ]  # fmt: skip
        for at in dues:
            clock.move_to(at)
            send_all(run)
            assert len(sink.accepted) == dues.index(at) + 1
    assert run.status == "finished"


@pytestmark_db
def test_the_best_hour_is_each_customers_own_and_else_the_campaigns(
    make_customers: Any, make_campaign: Any
) -> None:
    early, unknown = make_customers(2, time_zone="Europe/Berlin")
    now = utc(2026, 6, 9, 12)
    record_events(
        [
            NewEvent(customer_id=early.pk, message_id=f"o{n}", name="Order Completed",
                     occurred_at=now - timedelta(days=n, hours=7))  # seven in Berlin
            for n in range(1, 6)
        ]
        + [NewEvent(customer_id=unknown.pk, message_id=f"m{n}", name="Message Opened",
                    occurred_at=now - timedelta(days=n), properties={"machine": True}) for n in range(9)]
    )  # fmt: skip
    campaign = make_campaign(timing={"mode": "best", "hour": "18:00"})
    run = services.launch(campaign, actor="test", now=now)
    dues = dict(run.deliveries.values_list("customer_id", "chunk__due_at"))
    assert dues == {early.pk: utc(2026, 6, 10, 5), unknown.pk: utc(2026, 6, 9, 16)}


@pytest.mark.django_db
@pytest.mark.parametrize(("timing", "is_refused"), [({}, True), ({"mode": "local", "hour": "09:00"}, False)])
def test_a_time_that_is_over_sends_to_nobody(
    timing: dict[str, str], is_refused: bool, make_customers: Any, make_campaign: Any
) -> None:
    make_customers(1)
    campaign = make_campaign(timing=timing)
    with time_machine.travel(utc(2026, 6, 9, 12)):
        with pytest.raises(InvalidCampaign, match="This time is over"):
            services.schedule(campaign, at=utc(2025, 6, 9, 12), actor="test")
        yesterday = utc(2026, 6, 8, 12)  # a day that is not over yet on the last clocks on earth
        if is_refused:
            with pytest.raises(InvalidCampaign, match="This time is over"):
                services.schedule(campaign, at=yesterday, actor="test")
        else:
            services.schedule(campaign, at=yesterday, actor="test")
    campaign.refresh_from_db()
    assert (campaign.status == "draft") is is_refused
