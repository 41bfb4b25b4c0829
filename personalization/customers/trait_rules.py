"""What a declared trait may hold, and what such a rule would be for values that came undeclared. Pure.

Clients and files write the same value in many ways ("42", 42, 42.0): what can be read as the declared type is
stored as that type, everything else is a bad value.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.utils.translation import gettext as _

from personalization.customers.errors import InvalidTraits
from personalization.importing.values import plain_number

TEXT, NUMBER, WHOLE, YES_NO, DATE, TIME, LIST = "text", "number", "whole", "yes_no", "date", "time", "list"
TYPES = (TEXT, NUMBER, WHOLE, YES_NO, DATE, TIME, LIST)
REFUSE, KEEP = "refuse", "keep"
LONGEST_TEXT = 5_000
MOST_ENTRIES = 1_000
# How many different texts still look like a list to choose from, and what part of all values must fit.
MOST_CHOICES, LEAST_SHARE = 20, 0.95
_TRUE, _FALSE = {"true", "yes", "y", "1", "t"}, {"false", "no", "n", "0", "f"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class TraitRule:
    """`allowed`: the only values, where not empty. `minimum`, `maximum`: of a number; of a text its length;
    of a list its entries."""

    name: str
    value_type: str = TEXT
    allowed: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    on_bad_value: str = REFUSE
    is_encrypted: bool = False

    def check(self, value: Any) -> Any:
        """The value as it is stored. Raises InvalidTraits, whose text never holds the value."""
        found = _READERS[self.value_type](value)
        if self.allowed and not set(found if isinstance(found, list) else [found]) <= set(self.allowed):
            shown = ", ".join(str(one) for one in self.allowed[:MOST_CHOICES])
            raise InvalidTraits(_("not one of the allowed values: %(values)s") % {"values": shown})
        size = len(found) if isinstance(found, (str, list)) else found
        if self.value_type in (TEXT, LIST, NUMBER, WHOLE):
            if self.minimum is not None and size < self.minimum:
                raise InvalidTraits(_("less than %(limit)s") % {"limit": f"{self.minimum:g}"})
            if self.maximum is not None and size > self.maximum:
                raise InvalidTraits(_("more than %(limit)s") % {"limit": f"{self.maximum:g}"})
        return found


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InvalidTraits(_("not a text"))
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    if len(text) > LONGEST_TEXT:
        raise InvalidTraits(_("longer than %(limit)s characters") % {"limit": LONGEST_TEXT})
    return text


def _number(value: Any) -> int | float:
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError
        if isinstance(value, str):
            value = plain_number(value)
            if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", value):
                raise ValueError
        number = float(value)
        if not math.isfinite(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise InvalidTraits(_("not a number")) from None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _whole(value: Any) -> int:
    number = _number(value)
    if not isinstance(number, int):
        raise InvalidTraits(_("not a whole number"))
    return number


def _yes_no(value: Any) -> bool:
    word = str(value).strip().lower()
    if isinstance(value, (bool, int, str)) and word in _TRUE | _FALSE:
        return word in _TRUE
    raise InvalidTraits(_("neither yes nor no"))


def _date(value: Any) -> str:
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except (AttributeError, ValueError):
        raise InvalidTraits(_("not a date such as 2026-03-01")) from None


def _time(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value.strip())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (AttributeError, ValueError, OverflowError):
        raise InvalidTraits(_("not a time such as 2026-03-01T09:00:00Z")) from None


def _list(value: Any) -> list[str]:
    """Of texts; a text of a file is taken apart at its |."""
    parts = value.split("|") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)) or len(parts) > MOST_ENTRIES:
        raise InvalidTraits(_("not a list of at most %(limit)s texts") % {"limit": MOST_ENTRIES})
    return [text for part in parts if (text := _text(part))]


_READERS = {
    TEXT: _text, NUMBER: _number, WHOLE: _whole, YES_NO: _yes_no, DATE: _date, TIME: _time, LIST: _list,
}  # fmt: skip


def fits(rule: TraitRule, values: Sequence[Any]) -> int:
    """How many of these values the rule takes."""
    once = Counter((type(value), value) for value in values if not isinstance(value, (list, dict)))
    return sum(n for (_, value), n in once.items() if _fits(rule, value)) + sum(
        _fits(rule, value) for value in values if isinstance(value, (list, dict))
    )


def _fits(rule: TraitRule, value: Any) -> bool:
    try:
        rule.check(value)
    except InvalidTraits:
        return False
    return True


def suggest(name: str, values: Sequence[Any]) -> TraitRule | None:
    """The narrowest type that nearly all of these values have, and for a few texts that come again and again
    the list of them. None when they have no type in common, or there are none."""
    order = [YES_NO, WHOLE, NUMBER, DATE, TIME, LIST, TEXT]
    for value_type in order:
        rule = TraitRule(name, value_type)
        if values and _fits_nearly_all(rule, values):
            return TraitRule(name, TEXT, allowed=_choices(values)) if value_type == TEXT else rule
    return None


def _fits_nearly_all(rule: TraitRule, values: Sequence[Any]) -> bool:
    """Looks no further once too many do not: texts are no numbers after a few of thousands."""
    misfits = 0
    for value in values:
        misfits += not (_looks_like(rule.value_type, value) and _fits(rule, value))
        if len(values) - misfits < LEAST_SHARE * len(values):
            return False
    return True


def _looks_like(value_type: str, value: Any) -> bool:
    """Narrower than what is read: 0 and 1 are numbers, a text with a | is a text, a whole day is no time."""
    if value_type == YES_NO:
        return isinstance(value, bool) or str(value).strip().lower() in {"true", "false", "yes", "no"}
    if value_type == TIME:
        return isinstance(value, str) and not _DAY.fullmatch(value.strip())
    if value_type == LIST:
        return isinstance(value, list)
    return True


def _choices(values: Sequence[Any]) -> tuple[str, ...]:
    counts = Counter(str(value).strip() for value in values if not isinstance(value, (list, dict)))
    few = len(counts) <= MOST_CHOICES and all(n >= 5 for n in counts.values())
    return tuple(sorted(counts)) if few else ()
