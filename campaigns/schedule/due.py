"""When each customer of a launch is due: at once, at an hour of their own clock, or at their best hour."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from campaigns.schedule.best_hour import best_hours
from campaigns.schedule.local_time import moment, next_at
from campaigns.schedule.timing import Timing
from campaigns.schedule.zones import zone_of
from personalization.customers.models import Customer
from personalization.importing.passing import these

# The first clocks on earth (Kiritimati) show a time 14 hours before UTC does.
FIRST = timedelta(hours=14)
BATCH = 50_000


def launch_moment(timing: Timing, at: datetime, *, zone_name: str = "") -> datetime:
    """When a campaign planned for `at` has to be launched so that the first clocks are not missed."""
    if timing.mode == "once":
        return at
    day = at.astimezone(zone_of(zone_name or timing.zone)).date()
    clock = timing.hour if timing.mode == "local" else time(0)
    return datetime.combine(day, clock, tzinfo=UTC) - FIRST


def due_moments(
    customer_ids: Sequence[int], timing: Timing, *, planned: datetime | None, now: datetime
) -> dict[int, datetime]:
    """By customer; those due at once are absent. `planned`: the launch moment, when there was a plan."""
    if timing.mode == "once":
        return {}
    day = None if planned is None else (planned + FIRST).astimezone(UTC).date()
    hours = best_hours(customer_ids, now=now) if timing.mode == "best" else {}
    known: dict[tuple[str, time], datetime] = {}
    found = {}
    for customer, zone in _zones(customer_ids).items():
        clock = time(hours[customer]) if customer in hours else timing.hour
        key = (zone, clock)
        if key not in known:
            known[key] = _moment(day, clock, zone, now)
        if known[key] > now:
            found[customer] = known[key]
    return found


def _moment(day: date | None, clock: time, zone: str, now: datetime) -> datetime:
    if day is None:
        return next_at(clock, zone_of(zone), now=now)
    return moment(day, clock, zone_of(zone))


def _zones(customer_ids: Sequence[int]) -> Mapping[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(customer_ids), BATCH):
        part = customer_ids[start : start + BATCH]
        found.update(Customer.objects.filter(pk__in=these(part)).values_list("pk", "time_zone"))
    return found
