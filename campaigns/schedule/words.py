"""What is wrong with a timing, and what a timing means, as sentences."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.errors import InvalidCampaign
from campaigns.schedule.recurrence import first, parts_of
from campaigns.schedule.timing import Timing, TimingError
from campaigns.schedule.zones import zone_of


def read_timing(data: Mapping[str, Any]) -> Timing:
    """Raises InvalidCampaign with a sentence for the field that is wrong."""
    try:
        return Timing.from_json(data)
    except TimingError as error:
        raise InvalidCampaign(
            _("Correct the marked fields and try again."),
            errors=[{"pointer": f"/timing/{error.pointer}", "detail": _sentence(error.code)}],
        ) from error


def _sentence(code: str) -> str:
    return {
        "unknown": _("There is no such setting."),
        "choice": _("Choose one of the offered values."),
        "text": _("This must be a text of at most 500 characters."),
        "number": _("This must be a number."),
        "range": _("This number is too small or too large."),
        "clock": _("Write a time of day like 09:00."),
        "hours": _("Write from and until as times of day, like 09:00."),
        "empty": _("From and until are the same: write two different times."),
        "order": _("A send window ends later on the day than it begins."),
        "days": _("Days are numbers from 0 (Monday) to 6."),
        "repeat": _("This repetition cannot be read: write it as an RRULE, like FREQ=WEEKLY;BYDAY=TU."),
        "starts": _("Write the first date and time like 2026-12-01T09:00, without a zone."),
        "zone": _("There is no such time zone."),
    }[code]


def next_dates(timing: Timing, *, now: datetime, n: int = 5) -> list[datetime]:
    """The next occurrences of a repeated campaign; empty for one that is sent once."""
    if not timing.repeat or not timing.starts:
        return []
    start = datetime.fromisoformat(timing.starts)
    return first(timing.repeat, n, start=start, zone=zone_of(timing.zone), after=now)


def describe_repeat(timing: Timing) -> str:
    """The rule in words where it is one of the common ones, else the rule itself."""
    if not timing.repeat:
        return _("once")
    parts = parts_of(timing.repeat)
    if parts.keys() - {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL", "WKST"}:
        return timing.repeat
    every = _every(parts["FREQ"], int(parts.get("INTERVAL", 1)))
    on = _days(parts)
    if on is None:
        return timing.repeat
    sentence = f"{every} {on}".strip()
    if timing.starts:
        sentence += " " + _("at %(clock)s") % {"clock": timing.starts[11:16]}
    if "COUNT" in parts:
        n = int(parts["COUNT"])
        sentence += ", " + ngettext("%(n)s time", "%(n)s times", n) % {"n": n}
    if "UNTIL" in parts:
        until = datetime.strptime(parts["UNTIL"][:8], "%Y%m%d")
        sentence += ", " + _("until %(day)s") % {"day": date_format(until, "DATE_FORMAT")}
    return sentence


def _every(frequency: str, interval: int) -> str:
    words = {
        "DAILY": ngettext("every day", "every %(n)s days", interval),
        "WEEKLY": ngettext("every week", "every %(n)s weeks", interval),
        "MONTHLY": ngettext("every month", "every %(n)s months", interval),
        "YEARLY": ngettext("every year", "every %(n)s years", interval),
    }
    return words[frequency] % {"n": interval}


def _days(parts: Mapping[str, str]) -> str | None:
    """None for days that have no short name, like the second Tuesday."""
    if "BYMONTHDAY" in parts:
        return None if "BYDAY" in parts else _("on day %(days)s") % {"days": parts["BYMONTHDAY"]}
    if "BYDAY" not in parts:
        return ""
    names = {
        "MO": _("Monday"), "TU": _("Tuesday"), "WE": _("Wednesday"), "TH": _("Thursday"), "FR": _("Friday"),
        "SA": _("Saturday"), "SU": _("Sunday"),
    }  # fmt: skip
    days = parts["BYDAY"].split(",")
    if any(day not in names for day in days):
        return None
    return _("on %(days)s") % {"days": ", ".join(names[day] for day in days)}
