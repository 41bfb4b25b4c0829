"""Quiet hours and send windows of one chunk's customers, by their own clocks."""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from campaigns.models import QuietHours, TopicRule
from campaigns.schedule.local_time import HourRange, next_open, open_until
from campaigns.schedule.timing import Timing
from campaigns.schedule.zones import zone_of


def quiet_hours(timing: Timing, *, channel: str, topic: str) -> tuple[HourRange, ...]:
    """Those that hold for such messages of a campaign."""
    if timing.quiet == "none" or TopicRule.objects.filter(topic=topic, ignores_quiet_hours=True).exists():
        return ()
    if timing.own_quiet is not None:
        return (timing.own_quiet,)
    found = QuietHours.objects.filter(channel__in=["", channel]).order_by("-channel").first()
    return (HourRange(found.starts_at, found.ends_at),) if found else ()


class OpenHours:
    """When each customer may be written to. Knows the answer per zone, and asks anew when it has passed."""

    def __init__(
        self, profiles: Mapping[int, Mapping[str, Any]], *, timing: Timing, quiet: Iterable[HourRange]
    ) -> None:
        self._zones = {pk: zone_of(str(profile["time_zone"] or "")) for pk, profile in profiles.items()}
        self._quiet = tuple(quiet)
        self._window = timing.window
        # By zone: from when to when it is open; (None, now) when it never is.
        self._spans: dict[tzinfo, tuple[datetime | None, datetime]] = {}

    @property
    def always(self) -> bool:
        return not self._quiet and self._window is None

    def opens_at(self, customer_id: int | None, *, now: datetime) -> datetime | None:
        """`now` when it is open, else when it opens; None when never."""
        zone = self._zones.get(customer_id or 0)
        if self.always or zone is None:
            return now
        span = self._spans.get(zone)
        if span is None or now >= span[1]:
            span = self._spans[zone] = self._span(zone, now)
        start = span[0]
        return now if start is not None and start <= now else start

    def _span(self, zone: tzinfo, now: datetime) -> tuple[datetime | None, datetime]:
        start = next_open(now, zone, quiet=self._quiet, window=self._window)
        if start is None:
            return None, now
        return start, open_until(start, zone, quiet=self._quiet, window=self._window)
