"""Repetition by RRULE (RFC 5545) on a wall clock: the rule is read on local days and hours, and each
occurrence is then put on the time line, so that nine in the morning stays nine in the morning. Pure."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from functools import lru_cache
from itertools import islice

from dateutil.rrule import rrule, rrulestr

from campaigns.schedule.local_time import moment

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
# A rule that names no day at all (30 February) is given up after so many years.
HORIZON_YEARS = 10
ALLOWED = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYYEARDAY",
     "BYWEEKNO", "WKST", "BYHOUR", "BYMINUTE"}
)  # fmt: skip


def parts_of(rule: str) -> dict[str, str]:
    """The rule's parts by name. Raises ValueError for what we do not repeat by: less than a day, times."""
    text = rule.strip().upper().removeprefix("RRULE:")
    parts = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or name not in ALLOWED or name in parts or not value:
            raise ValueError(part)
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES or {"BYHOUR", "BYMINUTE"} & parts.keys():
        raise ValueError("a rule repeats days; the time of day is that of the first occurrence")
    return parts


@lru_cache(maxsize=256)
def _rule(rule: str, start: datetime) -> rrule:
    parts = parts_of(rule)
    if "UNTIL" in parts:
        # Local, as the start is: dateutil wants both with a zone or both without.
        parts["UNTIL"] = parts["UNTIL"].rstrip("Z")
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    made = rrulestr(text, dtstart=start)
    if not isinstance(made, rrule):
        raise ValueError(rule)
    return made


def occurrences(
    rule: str, *, start: datetime, zone: tzinfo, after: datetime | None = None
) -> Iterator[datetime]:
    """Instants from `start` (local, without zone) on, later than `after`. Raises ValueError."""
    if start.tzinfo is not None:
        raise ValueError("start is a time on the wall clock")
    made = _rule(rule, start)
    wall_after = None if after is None else after.astimezone(zone).replace(tzinfo=None)
    found = iter(made) if wall_after is None else made.xafter(wall_after.replace(hour=0, minute=0), inc=True)
    for wall in found:
        if wall.year > (wall_after or start).year + HORIZON_YEARS:
            return
        at = moment(wall.date(), wall.time(), zone)
        if after is None or at > after:
            yield at


def first(
    rule: str, n: int, *, start: datetime, zone: tzinfo, after: datetime | None = None
) -> list[datetime]:
    return list(islice(occurrences(rule, start=start, zone=zone, after=after), n))
