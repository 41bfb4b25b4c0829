"""When the messages of a rehearsal really leave: one after the other, behind rate and warm-up. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from heapq import heapify, heappop, heappush
from zoneinfo import ZoneInfo

from campaigns.pacing.warm_up import WarmUp


@dataclass(frozen=True)
class Brakes:
    """`per_second`: None as fast as it goes. `used`: places of the first day that are taken. `ahead`:
    messages of other runs that wait already and go first; both by group of recipient domains (warm_up.REST
    for all that have none). `zone`: whose days are told."""

    per_second: float | None
    warm_up: WarmUp | None
    zone: tzinfo
    used: Mapping[str, int] = field(default_factory=dict)
    ahead: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Left:
    """`days`: messages by day; `last_at`: when the last of them leaves; `late`: how many are still there at
    the end, and `warm_up_late` of them for want of a place in a day. `is_warmed`: the plan put some off."""

    days: dict[date, int] = field(default_factory=dict)
    last_at: datetime | None = None
    late: int = 0
    warm_up_late: int = 0
    is_warmed: bool = False


def let_go(due: Iterable[tuple[datetime, int, str]], brakes: Brakes, *, until: datetime) -> Left:
    """`due`: from when on how many messages could leave, to which group. First come, first served; whom the
    day of their group has no room for stand in nobody's way."""
    left, taken = Left(), _Taken(brakes)
    ours = [(at, place, n, group, True) for place, (at, n, group) in enumerate(sorted(due))]
    if not ours:
        return left
    free_at = ours[0][0]
    line = [(free_at, -1, n, group, False) for group, n in brakes.ahead.items() if n] + ours
    heapify(line)
    seconds = 0.0 if brakes.per_second is None else 1 / brakes.per_second
    while line:
        at, place, n, group, is_ours = heappop(line)
        now = max(at, free_at)
        if now > until:
            left.late += n if is_ours else 0
            left.warm_up_late += n if is_ours and taken.limits(now, group) else 0
            continue
        room = taken.room(now, group)
        if not room:
            assert brakes.warm_up is not None
            left.is_warmed = left.is_warmed or is_ours
            heappush(line, (brakes.warm_up.goes_on_at(now), place, n, group, is_ours))
            continue
        some = min(n, room, _in_time(brakes, now, until))
        taken.take(now, group, some)
        if is_ours:
            day = now.astimezone(brakes.zone).date()
            left.days[day] = left.days.get(day, 0) + some
            last = now + timedelta(seconds=seconds * (some - 1))
            left.last_at = last if left.last_at is None else max(left.last_at, last)
        free_at = now + timedelta(seconds=seconds * some)
        if n > some:
            heappush(line, (at, place, n - some, group, is_ours))
    return left


class _Taken:
    """Places of each day of the warm-up, by group."""

    def __init__(self, brakes: Brakes) -> None:
        self._plan, self._used = brakes.warm_up, brakes.used
        self._first: date | None = None
        self._by_day: dict[tuple[date, str], int] = {}

    def limits(self, now: datetime, group: str) -> bool:
        return self._plan is not None and self._plan.volume_of(self._plan.day_of(now), group) is not None

    def room(self, now: datetime, group: str) -> int:
        if self._plan is None:
            return _MANY
        day = self._plan.day_of(now)
        if self._first is None:
            self._first = day
            self._by_day = {(day, name): n for name, n in self._used.items()}
        volume = self._plan.volume_of(day, group)
        return _MANY if volume is None else max(0, volume - self._by_day.get((day, group), 0))

    def take(self, now: datetime, group: str, n: int) -> None:
        if self._plan is not None:
            key = self._plan.day_of(now), group
            self._by_day[key] = self._by_day.get(key, 0) + n


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
