"""The warm-up of a new sender: how many messages on each of its first days, as it stands in
`SenderAccount.warm_up`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.pacing.rates import RateError
from personalization.context.times import is_zone

# Twice as many each day: what large mailbox providers advise for an address that nobody knows.
DEFAULT_VOLUMES = (50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200)
MAX_DAYS, MOST = 90, 10_000_000


@dataclass(frozen=True)
class WarmUp:
    """`volumes`: messages on each day from `starts_on` on, by the calendar of `zone`; after them there is no
    limit. What a day has no room for goes on at `hour` of the next."""

    volumes: tuple[int, ...]
    starts_on: date
    zone: str
    hour: int = 9

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "WarmUp | None":
        """None without a plan. Raises RateError for the first thing that is wrong."""
        unknown = sorted(set(data) - {"volumes", "starts_on", "zone", "hour"})
        if unknown:
            raise RateError(unknown[0], "unknown")
        given = data.get("volumes") or []
        if not given:
            return None
        volumes = tuple(int(n) for n in given if isinstance(n, int) or str(n).isdecimal())
        if len(volumes) != len(given) or len(volumes) > MAX_DAYS or not all(0 < n <= MOST for n in volumes):
            raise RateError("volumes", "volumes")
        zone = str(data.get("zone") or "UTC")
        if not is_zone(zone):
            raise RateError("zone", "zone")
        try:
            starts_on, hour = date.fromisoformat(str(data.get("starts_on"))), int(data.get("hour", 9))
        except (TypeError, ValueError):
            raise RateError("starts_on", "day") from None
        if not 0 <= hour < 24:
            raise RateError("hour", "hour")
        return cls(volumes, starts_on, zone, hour)

    def as_json(self) -> dict[str, Any]:
        return {
            "volumes": list(self.volumes), "starts_on": self.starts_on.isoformat(), "zone": self.zone,
            "hour": self.hour,
        }  # fmt: skip

    @property
    def days(self) -> list[date]:
        return [self.starts_on + timedelta(days=n) for n in range(len(self.volumes))]

    def day_of(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.zone)).date()

    def volume_of(self, day: date) -> int | None:
        """0 before the plan begins, None when it is over: no limit."""
        place = (day - self.starts_on).days
        if place < 0:
            return 0
        return self.volumes[place] if place < len(self.volumes) else None

    def goes_on_at(self, now: datetime) -> datetime:
        """When there is room again, once today's is used up."""
        day = max(self.day_of(now) + timedelta(days=1), self.starts_on)
        # A night that skips this hour: the moment after the gap.
        return datetime.combine(day, time(self.hour), tzinfo=ZoneInfo(self.zone)).astimezone(ZoneInfo("UTC"))

    def days_for(self, messages: int, *, now: datetime, used_today: int) -> int:
        """On how many days from today so many messages go out."""
        day, left, days = self.day_of(now), messages, 0
        while True:
            volume = self.volume_of(day)
            if volume is None:
                return days + 1
            room = max(0, volume - (used_today if days == 0 else 0))
            days += 1
            left -= room
            if left <= 0:
                return days
            day += timedelta(days=1)
