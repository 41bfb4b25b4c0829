"""The warm-up of a new sender: how many messages on each of its first days, as it stands in
`SenderAccount.warm_up`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.pacing.rates import DOMAIN, RateError
from personalization.context.times import is_zone

# Twice as many each day: what large mailbox providers advise for an address that nobody knows.
DEFAULT_VOLUMES = (50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200)
MAX_DAYS, MOST = 90, 10_000_000
MAX_GROUPS = 20
REST = ""  # the group of all domains that stand in no other


@dataclass(frozen=True)
class Group:
    """Recipient domains of one mailbox provider, which learns of us by itself. The first names the group."""

    domains: tuple[str, ...]
    volumes: tuple[int, ...]


@dataclass(frozen=True)
class WarmUp:
    """`volumes`: messages on each day from `starts_on` on, by the calendar of `zone`; after them there is no
    limit. What a day has no room for goes on at `hour` of the next. `groups` of recipient domains have
    volumes of their own and do not count under `volumes`."""

    volumes: tuple[int, ...]
    starts_on: date
    zone: str
    hour: int = 9
    groups: tuple[Group, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "WarmUp | None":
        """None without a plan. Raises RateError for the first thing that is wrong."""
        unknown = sorted(set(data) - {"volumes", "starts_on", "zone", "hour", "groups"})
        if unknown:
            raise RateError(unknown[0], "unknown")
        groups = _read_groups(data.get("groups") or [])
        if not data.get("volumes"):
            if groups:
                raise RateError("volumes", "volumes_needed")
            return None
        volumes = _read_volumes(data["volumes"], "volumes")
        zone = str(data.get("zone") or "UTC")
        if not is_zone(zone):
            raise RateError("zone", "zone")
        try:
            starts_on, hour = date.fromisoformat(str(data.get("starts_on"))), int(data.get("hour", 9))
        except (TypeError, ValueError):
            raise RateError("starts_on", "day") from None
        if not 0 <= hour < 24:
            raise RateError("hour", "hour")
        return cls(volumes, starts_on, zone, hour, groups)

    def as_json(self) -> dict[str, Any]:
        return {
            "volumes": list(self.volumes), "starts_on": self.starts_on.isoformat(), "zone": self.zone,
            "hour": self.hour,
            "groups": [{"domains": list(one.domains), "volumes": list(one.volumes)} for one in self.groups],
        }  # fmt: skip

    @property
    def names(self) -> list[str]:
        """Of the groups; REST is the first."""
        return [REST, *(group.domains[0] for group in self.groups)]

    def group_of(self, domain: str) -> str:
        return next((group.domains[0] for group in self.groups if domain in group.domains), REST)

    def volumes_of(self, group: str) -> tuple[int, ...]:
        return next((one.volumes for one in self.groups if one.domains[0] == group), self.volumes)

    def day_of(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.zone)).date()

    def volume_of(self, day: date, group: str = REST) -> int | None:
        """0 before the plan begins, None when it is over: no limit."""
        place, volumes = (day - self.starts_on).days, self.volumes_of(group)
        if place < 0:
            return 0
        return volumes[place] if place < len(volumes) else None

    def limits(self, day: date) -> bool:
        """Whether any group has a limit that day."""
        return any(self.volume_of(day, group) is not None for group in self.names)

    def goes_on_at(self, now: datetime) -> datetime:
        """When there is room again, once today's is used up."""
        day = max(self.day_of(now) + timedelta(days=1), self.starts_on)
        # A night that skips this hour: the moment after the gap.
        return datetime.combine(day, time(self.hour), tzinfo=ZoneInfo(self.zone)).astimezone(ZoneInfo("UTC"))

    def days_for(self, messages: int, *, now: datetime, used_today: int, group: str = REST) -> int:
        """On how many days from today so many messages go out."""
        day, left, days = self.day_of(now), messages, 0
        while True:
            volume = self.volume_of(day, group)
            if volume is None:
                return days + 1
            room = max(0, volume - (used_today if days == 0 else 0))
            days += 1
            left -= room
            if left <= 0:
                return days
            day += timedelta(days=1)


def _read_volumes(given: Any, pointer: str) -> tuple[int, ...]:
    """Raises RateError."""
    if not isinstance(given, list | tuple) or not 0 < len(given) <= MAX_DAYS:
        raise RateError(pointer, "volumes")
    volumes = tuple(int(n) for n in given if isinstance(n, int) or str(n).isdecimal())
    if len(volumes) != len(given) or not all(0 < n <= MOST for n in volumes):
        raise RateError(pointer, "volumes")
    return volumes


def _read_groups(given: Any) -> tuple[Group, ...]:
    """Raises RateError for what is no domain, or stands in two groups."""
    if not isinstance(given, list | tuple) or len(given) > MAX_GROUPS:
        raise RateError("groups", "groups")
    groups = []
    for one in given:
        names = one.get("domains") if isinstance(one, Mapping) else None
        if not isinstance(names, list | tuple) or not names:
            raise RateError("groups", "groups")
        domains = tuple(str(name).strip().lower().rstrip(".") for name in names)
        if not all(DOMAIN.fullmatch(domain) and len(domain) <= 253 for domain in domains):
            raise RateError("groups", "groups")
        groups.append(Group(domains, _read_volumes(one.get("volumes"), "groups")))
    named = [domain for group in groups for domain in group.domains]
    if len(set(named)) < len(named):
        raise RateError("groups", "groups_twice")
    return tuple(groups)
