"""When the messages of a rehearsal really leave: one after the other, behind rate and warm-up. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from campaigns.pacing.warm_up import WarmUp


@dataclass(frozen=True)
class Brakes:
    """`per_second`: None as fast as it goes. `used`: places of the first day that are taken. `ahead`:
    messages of other runs that wait already and go first. `zone`: whose days are told."""

    per_second: float | None
    warm_up: WarmUp | None
    zone: tzinfo
    used: int = 0
    ahead: int = 0


@dataclass
class Left:
    """`days`: messages by day; `last_at`: when the last of them leaves; `late`: how many are still there at
    the end, and `warm_up_late` of them for want of a place in a day. `is_warmed`: the plan put some off."""

    days: dict[date, int] = field(default_factory=dict)
    last_at: datetime | None = None
    late: int = 0
    warm_up_late: int = 0
    is_warmed: bool = False


def let_go(due: Iterable[tuple[datetime, int]], brakes: Brakes, *, until: datetime) -> Left:
    """`due`: from when on how many messages could leave. First come, first served."""
    left, taken = Left(), _Taken(brakes)
    waiting = sorted(due)
    if not waiting:
        return left
    free_at = waiting[0][0]
    for at, n, is_ours in [(free_at, brakes.ahead, False), *((at, n, True) for at, n in waiting)]:
        now = max(at, free_at)
        while n:
            if not taken.room(now):
                assert brakes.warm_up is not None
                now = brakes.warm_up.goes_on_at(now)
                left.is_warmed = left.is_warmed or is_ours
            if now > until:
                break
            some = min(n, taken.room(now), _in_time(brakes, now, until))
            n -= some
            taken.take(now, some)
            seconds = 0.0 if brakes.per_second is None else 1 / brakes.per_second
            if is_ours:
                day = now.astimezone(brakes.zone).date()
                left.days[day] = left.days.get(day, 0) + some
                left.last_at = now + timedelta(seconds=seconds * (some - 1))
            now += timedelta(seconds=seconds * some)
        if is_ours:
            left.late += n
            left.warm_up_late += n if taken.limits(now) else 0
        free_at = now
    return left


class _Taken:
    """Places of each day of the warm-up."""

    def __init__(self, brakes: Brakes) -> None:
        self._plan, self._first = brakes.warm_up, brakes.used
        self._by_day: dict[date, int] = {}

    def limits(self, now: datetime) -> bool:
        return self._plan is not None and self._plan.volume_of(self._plan.day_of(now)) is not None

    def room(self, now: datetime) -> int:
        if self._plan is None:
            return _MANY
        day = self._plan.day_of(now)
        volume = self._plan.volume_of(day)
        if not self._by_day:
            self._by_day[day] = self._first
        return _MANY if volume is None else max(0, volume - self._by_day.get(day, 0))

    def take(self, now: datetime, n: int) -> None:
        if self._plan is not None:
            day = self._plan.day_of(now)
            self._by_day[day] = self._by_day.get(day, 0) + n


_MANY = 10**12


def _in_time(brakes: Brakes, now: datetime, until: datetime) -> int:
    """How many leave before the end, and on this day of those that are told and of the plan's."""
    if brakes.per_second is None:
        return _MANY
    zones: list[tzinfo] = [brakes.zone, *([ZoneInfo(brakes.warm_up.zone)] if brakes.warm_up else [])]
    midnights = [
        datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), tzinfo=zone)
        for zone in zones
    ]
    return max(1, int((min([*midnights, until]) - now).total_seconds() * brakes.per_second))
