"""Local clocks: when a wall clock shows a time, and when a customer may be written to. Pure.

A time that a night skips is taken at the first minute after the gap; a time that a night repeats is taken
once, the first time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
# Enough steps to pass any mixture of quiet hours and closed days of one week.
STEPS = 40


@dataclass(frozen=True)
class HourRange:
    """From `starts` up to but without `ends`; over midnight when it starts later than it ends."""

    starts: time
    ends: time

    def holds(self, clock: time) -> bool:
        if self.starts <= self.ends:
            return self.starts <= clock < self.ends
        return clock >= self.starts or clock < self.ends


@dataclass(frozen=True)
class SendWindow:
    """The only hours in which a message may go: `days` are 0 (Monday) to 6, `hours` end after they start."""

    days: frozenset[int]
    hours: HourRange


def moment(day: date, clock: time, zone: tzinfo, *, not_before: datetime | None = None) -> datetime:
    """The first instant of `day` at which the local clock shows `clock` or, in a gap, a later time, in UTC.

    With `not_before` the second pass of a repeated hour is taken when the first one is over by then.
    """
    wall = datetime.combine(day, clock)
    passes = sorted(
        instant
        for fold in (0, 1)
        if _wall(instant := wall.replace(tzinfo=zone, fold=fold).astimezone(UTC), zone) == wall
    )
    if not passes:
        return _end_of_gap(wall, zone)
    if not_before is not None and passes[0] < not_before:
        return passes[-1]
    return passes[0]


def _wall(instant: datetime, zone: tzinfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _end_of_gap(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clock jumps over `wall`: halved down to the second."""
    low, high = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        middle = middle.replace(microsecond=0)
        if _wall(middle, zone) < wall:
            low = middle
        else:
            high = middle
    return high


def next_at(clock: time, zone: tzinfo, *, now: datetime) -> datetime:
    """The first instant from `now` on at which the local clock shows `clock`."""
    today = now.astimezone(zone).date()
    for days in range(3):
        found = moment(today + days * DAY, clock, zone, not_before=now)
        if found >= now:
            return found
    raise AssertionError("a day has every hour")


def next_open(
    now: datetime, zone: tzinfo, *, quiet: Sequence[HourRange] = (), window: SendWindow | None = None
) -> datetime | None:
    """The first instant from `now` on outside of all quiet hours and inside the window.

    None when the two leave nothing open.
    """
    at = now
    for _ in range(STEPS):
        local = at.astimezone(zone)
        closed = next((hours for hours in quiet if hours.holds(local.time())), None)
        if closed is not None:
            at = next_at(closed.ends, zone, now=at)
        elif window is not None and not (local.weekday() in window.days and window.hours.holds(local.time())):
            at = next_at(window.hours.starts, zone, now=at + timedelta(microseconds=1))
        else:
            return at
    return None


def open_until(
    now: datetime, zone: tzinfo, *, quiet: Sequence[HourRange] = (), window: SendWindow | None = None
) -> datetime:
    """Until when, from an open `now` on, it stays open; at most a day ahead."""
    ends = [hours.starts for hours in quiet]
    if window is not None:
        ends.append(window.hours.ends)
    return min((next_at(clock, zone, now=now) for clock in ends), default=now + DAY)
