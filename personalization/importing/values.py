"""Cells to values: what spreadsheets, shops and databases write for text, money, time and lists."""

import math
import re
import zoneinfo
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

CENT = Decimal("0.01")
MONEY_LIMIT = Decimal(10) ** 12


class RowError(Exception):
    """Why a row is not taken; the text goes into the file of rejected rows."""


def text(value: Any, *, limit: int = 200, name: str = "") -> str:
    """Stripped text, "" for an empty cell; whole floats lose their ".0" (ids from a spreadsheet)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    result = str(value).replace("\0", "").strip()
    if len(result) > limit:
        raise RowError(_("%(name)s: longer than %(limit)s characters") % {"name": name, "limit": limit})
    return result


def money(value: Any, *, name: str = "value") -> Decimal | None:
    """Two decimals; None for an empty cell. Reads 1234.5, 1,234.50 and 1.234,50."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = plain_number(value)
    try:
        # A float's shortest form is what was meant: 0.1, not 0.1000000000000000055.
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        if number.is_nan():
            return None
        if not -MONEY_LIMIT < number < MONEY_LIMIT:
            raise InvalidOperation
        return number.quantize(CENT)
    except InvalidOperation:
        raise RowError(_("%(name)s: not an amount") % {"name": name}) from None


def plain_number(value: str) -> str:
    """As computers write it, where thousands and decimals can be told apart; else as it came."""
    value = re.sub(r"[\s\u00a0']", "", value)
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})*,\d{1,2}|[+-]?\d+,\d{1,2}", value):
        return value.replace(".", "").replace(",", ".")
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", value):
        return value.replace(",", "")
    return value


def moment(value: Any, *, zone: tzinfo = UTC, name: str = "time") -> datetime:
    """A time with zone, `zone` where the cell has none. ISO 8601, 31.12.2025 14:30, or a Unix time."""
    try:
        if isinstance(value, str):
            value = _moment_of_text(value.strip())
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            value = datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        if isinstance(value, datetime) and 1900 <= value.year < 2200:
            return value if value.tzinfo else value.replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError):
        pass
    raise RowError(_("%(name)s: not a date and time") % {"name": name})


def _moment_of_text(value: str) -> datetime:
    if german := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", value):
        day, month, year, rest = german.groups()
        value = f"{year}-{int(month):02}-{int(day):02}{rest}"
    return datetime.fromisoformat(value)


def names(value: Any) -> list[str]:
    """A list of names: a JSON array, several mapped columns, or one cell with ">" or "|" between them."""
    if value is None:
        return []
    parts = value if isinstance(value, (list, tuple)) else re.split(r"[>|]", str(value))
    return [part[:100] for part in (text(part, limit=10_000) for part in parts) if part]


def truth(value: Any, *, name: str) -> bool:
    word = str(value).strip().lower()
    if word in {"1", "true", "yes", "y", "t", "1.0"}:
        return True
    if word in {"", "0", "false", "no", "n", "f", "0.0", "none"}:
        return False
    raise RowError(_("%(name)s: neither yes nor no") % {"name": name})


def time_zone(name: str) -> tzinfo:
    """Raises ValueError for an unknown name."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(name) from error
