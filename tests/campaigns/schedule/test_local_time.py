"""Local clocks over every zone of the IANA list, with the nights in which clocks jump."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from campaigns.schedule.local_time import (
    HourRange,
    SendWindow,
    moment,
    next_at,
    next_open,
    open_until,
)

NIGHT = HourRange(time(22), time(8))
ZONES = sorted(available_timezones() - {"Factory", "localtime"})
BERLIN = ZoneInfo("Europe/Berlin")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def test_a_skipped_hour_is_taken_at_the_first_minute_after_the_gap() -> None:
    # Berlin, 2026-03-29: 02:00 becomes 03:00, at 01:00 UTC.
    assert moment(date(2026, 3, 29), time(2, 30), BERLIN) == utc(2026, 3, 29, 1)
    # Lord Howe moves by half an hour: 02:00 becomes 02:30 on 2026-10-04 (offset +10:30).
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert moment(date(2026, 10, 4), time(2, 15), lord_howe) == utc(2026, 10, 3, 15, 30)
    # Samoa had no 30 December 2011 at all: the day after begins at 10:00 UTC.
    assert moment(date(2011, 12, 30), time(9), ZoneInfo("Pacific/Apia")) == utc(2011, 12, 30, 10)


def test_a_repeated_hour_is_taken_once_and_the_first_time() -> None:
    # Berlin, 2026-10-25: 03:00 becomes 02:00, so 02:30 is at 00:30 and at 01:30 UTC.
    assert moment(date(2026, 10, 25), time(2, 30), BERLIN) == utc(2026, 10, 25, 0, 30)
    later = moment(date(2026, 10, 25), time(2, 30), BERLIN, not_before=utc(2026, 10, 25, 1))
    assert later == utc(2026, 10, 25, 1, 30)


@pytest.mark.parametrize("clock", [time(2, 30), time(23, 59)])
def test_every_zone_has_one_moment_for_every_day_of_a_year(clock: time) -> None:
    for name in ZONES:
        zone = ZoneInfo(name)
        found = [moment(date(2026, 1, 1) + timedelta(days=n), clock, zone) for n in range(0, 365)]
        assert all(timedelta(hours=22) <= b - a <= timedelta(hours=26) for a, b in pairwise(found))
        for n, at in enumerate(found):
            wanted = datetime.combine(date(2026, 1, 1) + timedelta(days=n), clock)
            shown = at.astimezone(zone).replace(tzinfo=None)
            assert wanted <= shown <= wanted + timedelta(hours=1), name


def test_quiet_hours_never_hold_the_answer_in_any_zone() -> None:
    starts = [utc(2026, 3, 29), utc(2026, 10, 25), utc(2026, 4, 5), utc(2026, 11, 1)]
    for name in ZONES:
        zone = ZoneInfo(name)
        for start in starts:
            for minutes in range(0, 24 * 60, 97):
                now = start + timedelta(minutes=minutes)
                at = next_open(now, zone, quiet=[NIGHT])
                assert at is not None and at >= now and not NIGHT.holds(at.astimezone(zone).time()), name
                until = open_until(at, zone, quiet=[NIGHT])
                just = until - timedelta(seconds=1)
                assert until > at and not NIGHT.holds(just.astimezone(zone).time()), name


def test_a_range_over_midnight_holds_both_sides() -> None:
    assert NIGHT.holds(time(23)) and NIGHT.holds(time(0)) and NIGHT.holds(time(7, 59))
    assert not NIGHT.holds(time(8)) and not NIGHT.holds(time(21, 59))


def test_a_window_on_workdays_waits_over_the_weekend() -> None:
    office = SendWindow(frozenset(range(5)), HourRange(time(9), time(17)))
    friday_evening = utc(2026, 11, 27, 18)
    assert next_open(friday_evening, BERLIN, window=office) == utc(2026, 11, 30, 8)
    assert next_open(utc(2026, 11, 30, 10), BERLIN, window=office) == utc(2026, 11, 30, 10)


def test_a_window_inside_of_quiet_hours_never_opens() -> None:
    night_shift = SendWindow(frozenset(range(7)), HourRange(time(23), time(23, 30)))
    assert next_open(utc(2026, 11, 30, 10), BERLIN, quiet=[NIGHT], window=night_shift) is None


def test_the_next_hour_is_today_or_tomorrow() -> None:
    assert next_at(time(9), BERLIN, now=utc(2026, 7, 1, 6)) == utc(2026, 7, 1, 7)
    assert next_at(time(9), BERLIN, now=utc(2026, 7, 1, 8)) == utc(2026, 7, 2, 7)
