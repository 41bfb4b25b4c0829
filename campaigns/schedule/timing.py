"""How a campaign deals with time, as it stands in `Campaign.timing` and, frozen, in a run's content. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.pacing.rates import RateError, read_rate
from campaigns.schedule.local_time import HourRange, SendWindow
from campaigns.schedule.recurrence import first
from personalization.context.times import is_zone

MODES = ("once", "local", "best")
RULES = ("wait", "drop")
QUIET = ("workspace", "own", "none")
MAX_WAIT_HOURS = 24 * 30


class TimingError(ValueError):
    """`pointer` is the field, `code` says what is wrong."""

    def __init__(self, pointer: str, code: str) -> None:
        super().__init__(f"{pointer}: {code}")
        self.pointer = pointer
        self.code = code


@dataclass(frozen=True)
class Timing:
    """`mode`: once (all at the same instant), local (at `hour` on each customer's clock), best (at each
    customer's own best hour; `hour` where that cannot be told). What is held back by a cap or by quiet hours
    waits up to `max_wait_hours`, or is dropped at once, by the rule."""

    mode: str = "once"
    hour: time = time(9)
    repeat: str = ""  # RRULE of RFC 5545
    starts: str = ""  # first occurrence on the wall clock of `zone`, as 2026-12-01T09:00
    zone: str = ""  # of the plan; empty: the workspace's
    cap_rule: str = "drop"
    quiet_rule: str = "wait"
    max_wait_hours: float = 48.0
    quiet: str = "workspace"
    own_quiet: HourRange | None = None
    window: SendWindow | None = None
    per_second: float | None = None  # messages, at most

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Timing":
        """Raises TimingError for the first thing that is wrong."""
        unknown = set(data) - set(FIELDS)
        if unknown:
            raise TimingError(sorted(unknown)[0], "unknown")
        quiet = _choice(data, "quiet", QUIET, "workspace")
        return cls(
            mode=_choice(data, "mode", MODES, "once"),
            hour=_clock(data.get("hour") or "09:00", "hour"),
            repeat=_repeat(data),
            starts=_starts(data),
            zone=_zone(data),
            cap_rule=_choice(data, "cap_rule", RULES, "drop"),
            quiet_rule=_choice(data, "quiet_rule", RULES, "wait"),
            max_wait_hours=_number(data, "max_wait_hours", 48.0, most=MAX_WAIT_HOURS),
            quiet=quiet,
            own_quiet=_hours(data.get("own_quiet"), "own_quiet") if quiet == "own" else None,
            window=_window(data.get("window")),
            per_second=_rate(data.get("per_second")),
        )

    def as_json(self) -> dict[str, Any]:
        """Only what differs from the default."""
        found: dict[str, Any] = {
            "mode": self.mode, "hour": f"{self.hour:%H:%M}", "repeat": self.repeat, "zone": self.zone,
            "starts": self.starts,
            "cap_rule": self.cap_rule, "quiet_rule": self.quiet_rule, "quiet": self.quiet,
            "max_wait_hours": self.max_wait_hours,
            "own_quiet": self.own_quiet and _as_hours(self.own_quiet),
            "window": self.window
            and {**_as_hours(self.window.hours), "days": sorted(self.window.days)},
            "per_second": self.per_second,
        }  # fmt: skip
        return {key: value for key, value in found.items() if value != DEFAULTS[key]}


FIELDS = (
    "mode", "hour", "repeat", "starts", "zone", "cap_rule", "quiet_rule", "quiet", "max_wait_hours",
    "own_quiet", "window", "per_second",
)  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "mode": "once", "hour": "09:00", "repeat": "", "starts": "", "zone": "", "cap_rule": "drop",
    "quiet_rule": "wait",
    "quiet": "workspace", "max_wait_hours": 48.0, "own_quiet": None, "window": None,
    "per_second": None,
}  # fmt: skip


def _choice(data: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = data.get(name) or default
    if value not in allowed:
        raise TimingError(name, "choice")
    return str(value)


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name) or ""
    if not isinstance(value, str) or len(value) > 500:
        raise TimingError(name, "text")
    return value.strip()


def _repeat(data: Mapping[str, Any]) -> str:
    rule = _text(data, "repeat")
    try:
        if rule:
            first(rule, 1, start=datetime(2026, 1, 1, 9), zone=ZoneInfo("UTC"))
    except (ValueError, TypeError, OverflowError):
        raise TimingError("repeat", "repeat") from None
    return rule


def _starts(data: Mapping[str, Any]) -> str:
    text = _text(data, "starts")
    try:
        if text and datetime.fromisoformat(text).tzinfo is not None:
            raise ValueError(text)
    except ValueError:
        raise TimingError("starts", "starts") from None
    return text


def _zone(data: Mapping[str, Any]) -> str:
    name = _text(data, "zone")
    if name and not is_zone(name):
        raise TimingError("zone", "zone")
    return name


def _number(data: Mapping[str, Any], name: str, default: float, *, most: float) -> float:
    value = data.get(name)
    if value in (None, ""):
        return default
    try:
        number = float(str(value))
    except ValueError:
        raise TimingError(name, "number") from None
    if not (math.isfinite(number) and 0 < number <= most):
        raise TimingError(name, "range")
    return number


def _rate(value: object) -> float | None:
    try:
        return read_rate(value, "per_second")
    except RateError as error:
        raise TimingError(error.pointer, error.code) from None


def _clock(value: object, name: str) -> time:
    try:
        return time.fromisoformat(str(value)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise TimingError(name, "clock") from None


def _hours(value: object, name: str) -> HourRange:
    if not isinstance(value, Mapping):
        raise TimingError(name, "hours")
    found = HourRange(
        _clock(value.get("from") or "", f"{name}/from"), _clock(value.get("until") or "", f"{name}/until")
    )
    if found.starts == found.ends:
        raise TimingError(name, "empty")
    return found


def _as_hours(hours: HourRange) -> dict[str, Any]:
    return {"from": f"{hours.starts:%H:%M}", "until": f"{hours.ends:%H:%M}"}


def _window(value: object) -> SendWindow | None:
    if value in (None, "", {}):
        return None
    if not isinstance(value, Mapping):
        raise TimingError("window", "hours")
    hours = _hours(value, "window")
    if hours.starts > hours.ends:
        raise TimingError("window", "order")
    days = value.get("days") or list(range(7))
    if not isinstance(days, list | tuple) or not all(day in range(7) for day in days):
        raise TimingError("window/days", "days")
    return SendWindow(frozenset(int(day) for day in days), hours)
