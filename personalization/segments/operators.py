"""The operator table: what can be asked of a trait, a property or an aggregate. No Django.

Adding an operator is one entry of OPERATORS; the parser, the compiler, the sentence and the builder page read
it from there. `sql` speaks of the operand as {x}, of the customer's time zone as {zone} and of parameters as
{0}, {1}, …; values never stand in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from personalization.context.times import zone_names

Parameters = Callable[[Any, datetime], tuple[Any, ...]]


def _(message: str) -> str:
    """Marks a text for translation; it is translated where it is shown."""
    return message


@dataclass(frozen=True)
class Operator:
    """`kind`: any, text, number or date: how the operand is read. What cannot be read so does not match.

    `takes`: none, scalar, scalars, text, number, numbers, date, dates, days, share: the shape of the value.
    `complement`: this operator is true exactly where that one is not, also for missing operands.
    """

    name: str
    kind: str
    takes: str
    label: str
    sentence: str
    sql: str = ""
    complement: str = ""
    parameters: Parameters = lambda value, now: value if isinstance(value, tuple) else (value,)


def _last_days(days: Decimal, now: datetime) -> tuple[datetime, ...]:
    return days_before(now, days), now


def _older_than(days: Decimal, now: datetime) -> tuple[datetime, ...]:
    return (days_before(now, days),)


def _next_days(days: Decimal, now: datetime) -> tuple[datetime, ...]:
    return now, now + timedelta(days=float(days))


def days_before(now: datetime, days: Decimal) -> datetime:
    return now - timedelta(days=float(days))


def anniversaries(days: Decimal, now: datetime) -> tuple[list[str], ...]:
    """For who lives where it is already tomorrow or still yesterday (days of the year, their time zones), and
    at last the days for everybody else, whose date is that of UTC."""
    today = now.astimezone(UTC).date()
    other: dict[date, list[str]] = {today + timedelta(days=1): [], today - timedelta(days=1): []}
    for zone, clock in _clocks():
        local = now.astimezone(clock).date()
        if local != today:
            other[local].append(zone)
    parts: list[list[str]] = []
    for day, zones in other.items():
        parts += [zones, days_of_year(day, days)]
    return (*parts, days_of_year(today, days))


@cache
def _clocks() -> tuple[tuple[str, ZoneInfo], ...]:
    """Kept here: the library keeps eight and reads each other one from its file again."""
    return tuple((zone, ZoneInfo(zone)) for zone in sorted(zone_names()))


def days_of_year(first: date, days: Decimal) -> list[str]:
    """MMDD, from the first day on. In other years 29 February is kept on the 28th."""
    wanted: set[str] = set()
    for ahead in range(min(int(days), 366)):
        day = first + timedelta(days=ahead)
        wanted.add(f"{day:%m%d}")
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
            wanted.add("0229")
    return sorted(wanted)


_TABLE = (
    Operator("is", "any", "scalar", _("is"), _("%(subject)s is %(value)s")),
    Operator("is_not", "any", "scalar", _("is not"), _("%(subject)s is not %(value)s"), complement="is"),
    Operator("in", "any", "scalars", _("is one of"), _("%(subject)s is one of %(value)s")),
    Operator(
        "not_in", "any", "scalars", _("is none of"), _("%(subject)s is none of %(value)s"), complement="in"
    ),
    Operator("exists", "any", "none", _("is known"), _("%(subject)s is known")),
    Operator("missing", "any", "none", _("is not known"), _("%(subject)s is not known"), complement="exists"),
    Operator(
        "contains", "text", "text", _("contains"), _("%(subject)s contains %(value)s"),
        "POSITION(LOWER({0}) IN LOWER({x})) > 0",
    ),
    Operator(
        "not_contains", "text", "text", _("does not contain"), _("%(subject)s does not contain %(value)s"),
        complement="contains",
    ),
    Operator(
        "starts_with", "text", "text", _("starts with"), _("%(subject)s starts with %(value)s"),
        "STARTS_WITH(LOWER({x}), LOWER({0}))",
    ),
    Operator(
        "ends_with", "text", "text", _("ends with"), _("%(subject)s ends with %(value)s"),
        "STARTS_WITH(REVERSE(LOWER({x})), REVERSE(LOWER({0})))",
    ),
    Operator(
        "at_least", "number", "number", _("is at least"), _("%(subject)s is at least %(value)s"), "{x} >= {0}"
    ),
    Operator(
        "more_than", "number", "number", _("is more than"), _("%(subject)s is more than %(value)s"),
        "{x} > {0}",
    ),
    Operator(
        "at_most", "number", "number", _("is at most"), _("%(subject)s is at most %(value)s"), "{x} <= {0}"
    ),
    Operator(
        "less_than", "number", "number", _("is less than"), _("%(subject)s is less than %(value)s"),
        "{x} < {0}",
    ),
    Operator(
        "between", "number", "numbers", _("is between"), _("%(subject)s is from %(first)s to %(second)s"),
        "{x} BETWEEN {0} AND {1}",
    ),
    Operator("before", "date", "date", _("is before"), _("%(subject)s is before %(value)s"), "{x} < {0}"),
    Operator(
        "on_or_after", "date", "date", _("is on or after"), _("%(subject)s is on or after %(value)s"),
        "{x} >= {0}",
    ),
    Operator(
        "between_dates", "date", "dates", _("is between the dates"),
        _("%(subject)s is from %(first)s until before %(second)s"), "({x} >= {0} AND {x} < {1})",
    ),
    Operator(
        "within_days", "date", "days", _("is in the last days"),
        _("%(subject)s is in the last %(value)s days"), "({x} >= {0} AND {x} < {1})", parameters=_last_days,
    ),
    Operator(
        "more_than_days_ago", "date", "days", _("is more days ago than"),
        _("%(subject)s is more than %(value)s days ago"), "{x} < {0}", parameters=_older_than,
    ),
    Operator(
        "in_next_days", "date", "days", _("is in the next days"),
        _("%(subject)s is in the next %(value)s days"), "({x} >= {0} AND {x} < {1})", parameters=_next_days,
    ),
    Operator(
        "anniversary_in_days", "date", "days", _("has its anniversary in the next days"),
        _("%(subject)s has its anniversary in the next %(value)s days"),
        "TO_CHAR({x} AT TIME ZONE 'UTC', 'MMDD') = ANY(CASE WHEN {zone} = ANY({0}) THEN {1} WHEN {zone} = "
        "ANY({2}) THEN {3} ELSE {4} END)",
        parameters=anniversaries,
    ),
    # Of aggregates only: it needs everybody else's number too.
    Operator(
        "top_percent", "rank", "share", _("is in the top percent"),
        _("%(subject)s is in the top %(value)s %% of all customers"),
    ),
)  # fmt: skip
OPERATORS: dict[str, Operator] = {operator.name: operator for operator in _TABLE}


def holds(op: str, number: Decimal, value: Any) -> bool:
    """Whether the number passes a test that is no complement: what a customer without events answers."""
    if op == "between":
        return bool(value[0] <= number <= value[1])
    return {
        "is": number == value,
        "at_least": number >= value,
        "more_than": number > value,
        "at_most": number <= value,
        "less_than": number < value,
    }[op]
