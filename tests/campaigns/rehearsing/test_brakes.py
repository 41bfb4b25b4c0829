"""A rehearsal's messages behind rate and warm-up, by hand."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.pacing.warm_up import REST, Group, WarmUp
from campaigns.rehearsing.brakes import Brakes, Left
from campaigns.rehearsing.brakes import let_go as let_each_go

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
FAR = START + timedelta(days=60)
DAY = START.date()
ZONE = ZoneInfo("UTC")


def let_go(due: list[tuple[datetime, int]], brakes: Brakes, *, until: datetime) -> Left:
    """All of them to domains that stand in no group."""
    return let_each_go([(at, n, REST) for at, n in due], brakes, until=until)


def test_without_brakes_everything_leaves_when_it_is_due() -> None:
    left = let_go([(START, 500), (START + timedelta(days=1), 20)], Brakes(None, None, ZONE), until=FAR)
    assert left.days == {DAY: 500, DAY + timedelta(days=1): 20}
    assert left.last_at == START + timedelta(days=1) and left.late == 0


def test_a_rate_lets_one_after_the_other_go_over_midnight() -> None:
    # Half a message a second from 9 o'clock: 15 hours are 54,000 seconds, so 27,000 on the first day.
    left = let_go([(START, 20_000), (START, 10_000)], Brakes(0.5, None, ZONE), until=FAR)
    assert left.days == {DAY: 27_000, DAY + timedelta(days=1): 3_000}
    assert left.last_at == START + timedelta(seconds=2 * 29_999)


def test_a_warm_up_lets_go_its_volume_of_each_day_behind_what_waits_already() -> None:
    plan = WarmUp((50, 100, 200), DAY, "UTC", 9)
    left = let_go([(START, 300)], Brakes(None, plan, ZONE, used={REST: 20}, ahead={REST: 10}), until=FAR)
    # 50 - 20 - 10 on the first day, then 100, then the rest of 180.
    assert left.days == {DAY: 20, DAY + timedelta(days=1): 100, DAY + timedelta(days=2): 180}
    assert left.last_at == START + timedelta(days=2)


def test_after_the_plan_there_is_no_limit_and_before_it_nothing_leaves() -> None:
    plan = WarmUp((50,), date(2026, 6, 3), "UTC", 7)
    left = let_go([(START, 300)], Brakes(None, plan, ZONE), until=FAR)
    assert left.days == {date(2026, 6, 3): 50, date(2026, 6, 4): 250}
    assert left.last_at == datetime(2026, 6, 4, 7, tzinfo=UTC)


def test_what_the_days_asked_for_have_no_room_for_is_late() -> None:
    plan = WarmUp((50, 60, 70, 80), DAY, "UTC", 9)
    left = let_go([(START, 300)], Brakes(None, plan, ZONE), until=START + timedelta(days=1, hours=1))
    assert (sum(left.days.values()), left.late, left.warm_up_late) == (110, 190, 190)
    slow = let_go([(START, 300)], Brakes(0.01, None, ZONE), until=START + timedelta(hours=1))
    # One each 100 seconds: at 0, 100, … 3600.
    assert (slow.days, slow.late, slow.warm_up_late) == ({DAY: 37}, 263, 0)


def test_nothing_due_is_nothing_left() -> None:
    assert let_go([], Brakes(1.0, None, ZONE), until=FAR).last_at is None


def test_a_group_of_domains_keeps_to_its_own_days_and_holds_up_nobody_else() -> None:
    plan = WarmUp((1000,), DAY, "UTC", 9, (Group(("gmail.com", "googlemail.com"), (20, 40)),))
    due = [(START, 70, "gmail.com"), (START, 300, REST)]
    left = let_each_go(due, Brakes(1.0, plan, ZONE, used={"gmail.com": 5}), until=FAR)
    # To Gmail 20 - 5 today, 40 tomorrow and the last 15 on the day after; all others today.
    assert left.days == {
        DAY: 15 + 300, DAY + timedelta(days=1): 40, DAY + timedelta(days=2): 15,
    }  # fmt: skip
    assert left.last_at == START + timedelta(days=2, seconds=14)
