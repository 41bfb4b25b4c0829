"""Single values of the segment language: read from JSON, checked, typed. Imports no Django."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any as Anything

from personalization.segments import nodes
from personalization.segments.operators import _

MAX_VALUES = 1000
MAX_TEXT = 500
MAX_DAYS = 36_500
MAX_NUMBER = 10**15


@dataclass(frozen=True)
class Problem:
    """`message` is an English message id with %(name)s places, to be translated where it is shown."""

    pointer: str
    message: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        return translate(self.message) % self.parameters if self.parameters else translate(self.message)


class Values:
    """Reads on after a mistake, so that all can be mended at once. None stands for a faulty part."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, pointer: str, message: str, **parameters: object) -> None:
        self.problems.append(Problem(pointer, message, parameters))

    def read_scalar(self, raw: object, at: str) -> nodes.Scalar | None:
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, int | float):
            return self.read_number(raw, at)
        return self.text(raw, at, _("Give a value: a text, a number, true or false."))

    def read_scalars(self, raw: object, at: str) -> tuple[nodes.Scalar | None, ...]:
        if not isinstance(raw, list) or not 0 < len(raw) <= MAX_VALUES:
            self.wrong(at, _("Give a list of 1 to %(limit)s values."), limit=MAX_VALUES)
            return ()
        return tuple(self.read_scalar(value, f"{at}/{i}") for i, value in enumerate(raw))

    def read_text(self, raw: object, at: str) -> str | None:
        return self.text(raw, at, _("Give a text."))

    def read_number(self, raw: object, at: str) -> Decimal | None:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
            self.wrong(at, _("Give a number."))
            return None
        if abs(raw) > MAX_NUMBER:
            self.wrong(at, _("Give a number between −10^15 and 10^15."))
            return None
        return Decimal(str(raw))

    def read_numbers(self, raw: object, at: str) -> tuple[Decimal | None, ...]:
        return self.pair(raw, at, self.read_number, _("Give two numbers: from and to."))

    def read_date(self, raw: object, at: str) -> datetime | None:
        return self.moment(raw, at)

    def read_dates(self, raw: object, at: str) -> tuple[datetime | None, ...]:
        return self.pair(raw, at, self.moment, _("Give two dates: from and until before."))

    def read_days(self, raw: object, at: str) -> Decimal | None:
        return self.days(raw, at)

    def read_share(self, raw: object, at: str) -> Decimal | None:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw <= 100:
            self.wrong(at, _("Give a percentage above 0, up to 100."))
            return None
        return Decimal(str(raw))

    def pair(
        self, raw: object, at: str, read: Callable[[object, str], Anything], message: str
    ) -> tuple[Anything, ...]:
        if not isinstance(raw, list) or len(raw) != 2:
            self.wrong(at, message)
            return ()
        first, second = read(raw[0], f"{at}/0"), read(raw[1], f"{at}/1")
        if first is not None and second is not None and first > second:
            self.wrong(at, _("The first must not be larger than the second: swap them."))
        return first, second

    def days(self, raw: object, at: str) -> Decimal | None:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw <= MAX_DAYS:
            self.wrong(at, _("Give a number of days above 0, up to %(limit)s."), limit=MAX_DAYS)
            return None
        return Decimal(str(raw))

    def moment(self, raw: object, at: str) -> datetime | None:
        """A date (midnight UTC) or a time in ISO 8601; without an offset it is UTC."""
        try:
            if not isinstance(raw, str):
                raise ValueError
            value = datetime.fromisoformat(raw) if len(raw) > 10 else datetime.combine(
                date.fromisoformat(raw), datetime.min.time()
            )  # fmt: skip
            value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except (ValueError, OverflowError):
            self.wrong(at, _("Give a date such as 2026-03-01, or a time such as 2026-03-01T09:00:00Z."))
            return None
        if not 1900 <= value.year <= 2200:
            self.wrong(at, _("Give a date between the years 1900 and 2200."))
            return None
        return value

    def text(self, raw: object, at: str, message: str) -> str | None:
        if not isinstance(raw, str) or not raw.strip():
            self.wrong(at, message)
            return None
        if len(raw) > MAX_TEXT:
            self.wrong(at, _("Use at most %(limit)s characters."), limit=MAX_TEXT)
            return None
        if "\0" in raw or any("\ud800" <= character <= "\udfff" for character in raw):
            self.wrong(at, _("Remove the character that is not valid text."))
            return None
        return raw

    def choice(self, raw: object, at: str, allowed: tuple[str, ...]) -> str | None:
        if isinstance(raw, str) and raw in allowed:
            return raw
        self.wrong(at, _("Give one of %(choices)s."), choices=", ".join(allowed))
        return None

    def only(self, raw: dict[str, Anything], at: str, *keys: str) -> None:
        for key in raw:
            if key not in keys:
                self.wrong(f"{at}/{pointer_part(key)}", _("Remove this: it is not known here."))


def pointer_part(key: object) -> str:
    """One reference token of a JSON pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
