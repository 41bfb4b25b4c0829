"""Filters of our own: amounts, numbers, shares, dates and times in the customer's language and time zone.

The language is the filter's argument, else the customer's, else English (see `locales`).
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from dateutil.parser import parse as dateutil_parse
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import is_undefined

from personalization.content import locales
from personalization.content.countdown import Countdown, moment_in, read_color
from personalization.content.worded_picture import Wishes, picture_of

if TYPE_CHECKING:
    from babel import Locale
    from liquid import Environment, RenderContext

YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
LONGEST_DATE = 64
# A width such as %99999999d would make the C library fill the memory; flags and letters only.
DATE_FORMAT = re.compile(r"(?:[^%]|%[-^0_]?[a-zA-Z%])*")


def register(environment: "Environment") -> None:
    for name, function in (
        ("money", money), ("number", number), ("percent", percent), ("date", format_date),
        ("time", format_time), ("datetime", format_datetime), ("countdown", countdown),
        ("picture", picture),
    ):  # fmt: skip
        environment.add_filter(name, function)


def _language(context: "RenderContext", argument: object) -> str:
    """The base language: zh of zh-Hans-CN."""
    language = str(argument or _of_customer(context, "language") or "en")
    return language.replace("_", "-").split("-")[0].lower()


def _of_customer(context: "RenderContext", name: str) -> str:
    customer = context.scope.get("customer")
    return str(customer.get(name) or "") if isinstance(customer, dict) else ""


def _locale(context: "RenderContext", argument: object) -> "Locale":
    if argument:
        return locales.locale_of(str(argument)[:40])
    language = _of_customer(context, "language")[:40]
    return locales.locale_of(
        language or "en", _of_customer(context, "country")[:2].upper() if language else ""
    )


def _decimal(value: object, name: str) -> Decimal | None:
    """None for a missing value. Raises for what is no number, or out of range."""
    if value is None or is_undefined(value) or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if found.is_nan():
        raise FilterArgumentError(f"{name}: {str(value)[:40]!r} is not a number", token=None)
    if not found.is_finite() or abs(found) >= 10**15:
        raise FilterArgumentError(f"{name}: the number is out of range", token=None)
    return round(found, locales.MAX_DIGITS)


def _digits(value: object, name: str) -> int | None:
    if value is None or is_undefined(value) or value == "":
        return None
    if not isinstance(value, int) or not 0 <= value <= locales.MAX_DIGITS:
        raise FilterArgumentError(f"{name}: give 0 to {locales.MAX_DIGITS} digits", token=None)
    return value


@with_context
def money(value: object, currency: object = "", language: object = "", *, context: "RenderContext") -> str:
    """`{{ item.price | money: item.currency }}`: with the symbol, separators and decimals of the language.

    Empty for a missing amount. Raises for what is not a number.
    """
    amount = _decimal(value, "money")
    if amount is None:
        return ""
    return locales.amount(amount, str(currency or "").upper()[:3], _locale(context, language))


@with_context
def number(value: object, digits: object = None, language: object = "", *, context: "RenderContext") -> str:
    """`{{ customer.traits.points | number }}`, `| number: 2`. Empty for a missing number."""
    found = _decimal(value, "number")
    if found is None:
        return ""
    return locales.number(found, _digits(digits, "number"), _locale(context, language))


@with_context
def percent(value: object, digits: object = 0, language: object = "", *, context: "RenderContext") -> str:
    """`{{ 0.25 | percent }}`: 25%; `| percent: 1`: 25.0%. Empty for a missing share; raises for a text."""
    share = _decimal(value, "percent")
    if share is None:
        return ""
    return locales.percent(share, _digits(digits, "percent") or 0, _locale(context, language))


@with_context
def format_date(
    value: Any, style: object = "long", language: object = "", *, context: "RenderContext"
) -> str:
    """`{{ now | date }}`, `| date: "short"`, `| date: "iso"`, `| date: "%d.%m.%Y"`; takes dates, ISO texts,
    "now", "today". A time in UTC is told as the customer's clock shows it.

    Empty for a missing date; a text that is no date comes back unchanged, as in the reference implementation.
    """
    moment = _when(value, context)
    if not isinstance(moment, date) or is_undefined(style):
        return str(value) if isinstance(moment, date) else moment
    fmt = str(style)
    if fmt in locales.STYLES:
        plain = moment.date() if isinstance(moment, datetime) else moment
        return locales.day(plain, fmt, _locale(context, language))
    if fmt == "iso":
        return moment.strftime("%Y-%m-%d")
    if len(fmt) > 100 or not DATE_FORMAT.fullmatch(fmt):
        raise FilterArgumentError("date: this format is not allowed", token=None)
    return moment.strftime(fmt)


@with_context
def format_time(
    value: Any, style: object = "short", language: object = "", *, context: "RenderContext"
) -> str:
    """`{{ now | time }}`: 18:00 or 6:00 PM, on the customer's clock. As `date` otherwise."""
    return _clock(value, style, language, context, name="time", shown=locales.clock)


@with_context
def format_datetime(
    value: Any, style: object = "medium", language: object = "", *, context: "RenderContext"
) -> str:
    """`{{ order.at | datetime }}`: day and time, on the customer's clock. As `date` otherwise."""
    return _clock(value, style, language, context, name="datetime", shown=locales.day_and_clock)


def _clock(
    value: Any, style: object, language: object, context: "RenderContext", *, name: str,
    shown: "Callable[[datetime, str, Locale], str]",
) -> str:  # fmt: skip
    moment = _when(value, context)
    if not isinstance(moment, date):
        return moment
    if style not in ("short", "medium"):
        raise FilterArgumentError(f"{name}: the style is short or medium", token=None)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return shown(moment, str(style), _locale(context, language))


def _when(value: Any, context: "RenderContext") -> date | str:
    """The moment on the customer's clock, or the text that stands for it."""
    if value is None or is_undefined(value) or value == "":
        return ""
    moment = _moment(value)
    return str(value) if moment is None else locales.in_zone(moment, _of_customer(context, "time_zone")[:64])


@with_context
def countdown(value: Any, color: object = "", background: object = "", *, context: "RenderContext") -> str:
    """`<img src="{{ "2026-12-24T18:00" | countdown }}">`: the address of a picture that counts down to that
    moment; without a zone in the text it is the customer's own time. `| countdown: "#b91c1c", "#fff7ed"`:
    in these colors.

    Empty for a missing moment. Raises for what is no time or color.
    """
    if value is None or not str(value):
        return ""
    moment = _moment(value)
    if moment is None:
        raise FilterArgumentError(f"countdown: {str(value)[:40]!r} is no time", token=None)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    try:
        colors = {
            name: read_color(str(text))
            for name, text in (("color", color), ("background", background))
            if text
        }
        return Countdown(moment_in(moment, zone=_zone(context)), **colors).url
    except (ValueError, OverflowError) as error:
        raise FilterArgumentError(f"countdown: {error}", token=None) from None


@with_context
def picture(words: object, *, context: "RenderContext", **wishes: object) -> str:
    """`<img src="{{ words | picture: width: 600, height: 200, image: "/media/hero.jpg" }}">`: the address of
    a picture with these words in it. Also size, color, background, align and until (see `Wishes`).

    Empty without words and moment. Raises for wishes that cannot be drawn.
    """
    until = wishes.get("until")
    if not str(words or "").strip() and not until:
        return ""
    try:
        moment = _moment(until) if until else None
        if until and not isinstance(moment, datetime):
            raise ValueError(f"{str(until)[:40]!r} is no time")
        return picture_of(words, Wishes(**{**wishes, "until": moment}), zone=_zone(context)).url
    except (ValueError, TypeError, OverflowError) as error:
        raise FilterArgumentError(f"picture: {error}", token=None) from None


def _zone(context: "RenderContext") -> str:
    customer = context.scope.get("customer")
    return str(customer.get("time_zone") or "") if isinstance(customer, dict) else ""


def _moment(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    text = str(value).strip()
    if text in ("now", "today"):
        return datetime.now().astimezone()
    try:
        if text.isdigit() and len(text) > 8:
            return datetime.fromtimestamp(int(text[:12])).astimezone()
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return _loosely(text)


def _loosely(text: str) -> datetime | None:
    """“March 14, 2016”, as the reference implementation reads it; never what leaves the year open."""
    if len(text) > LONGEST_DATE or not YEAR.search(text):
        return None
    try:
        return dateutil_parse(text, default=datetime(2000, 1, 1))
    except (ValueError, OverflowError):
        return None
