"""Filters of our own: money and dates in the customer's language.

The language is the filter's argument, else the customer's, else English. Separators and names are for the
languages we ship; others fall back to English rather than to a wrong guess.
"""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context

from personalization.content.countdown import Countdown, moment_in, read_color
from personalization.content.worded_picture import Wishes, picture_of

if TYPE_CHECKING:
    from liquid import Environment, RenderContext

NO_MINOR_UNIT = {"JPY", "KRW", "VND", "CLP", "ISK", "HUF"}
SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "JPY": "¥", "INR": "₹", "KRW": "₩", "BRL": "R$",
    "AUD": "A$", "CAD": "CA$", "HKD": "HK$", "TWD": "NT$", "SGD": "S$",
}  # fmt: skip
# thousands separator, decimal separator, symbol comes after the amount
NUMBER_STYLES = {
    "en": (",", ".", False), "zh": (",", ".", False), "ja": (",", ".", False), "ko": (",", ".", False),
    "de": (".", ",", True), "es": (".", ",", True), "it": (".", ",", True), "pt": (".", ",", False),
    "fr": ("\u202f", ",", True), "nl": (".", ",", False),
    "sv": ("\u00a0", ",", True), "pl": ("\u00a0", ",", True),
}  # fmt: skip
MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
}
# A width such as %99999999d would make the C library fill the memory; flags and letters only.
DATE_FORMAT = re.compile(r"(?:[^%]|%[-^0_]?[a-zA-Z%])*")


def register(environment: "Environment") -> None:
    environment.add_filter("money", money)
    environment.add_filter("date", format_date)
    environment.add_filter("countdown", countdown)
    environment.add_filter("picture", picture)


def _language(context: "RenderContext", argument: object) -> str:
    if not argument:
        customer = context.scope.get("customer")
        argument = customer.get("language") if isinstance(customer, dict) else ""
    return str(argument or "en").replace("_", "-").split("-")[0].lower()


@with_context
def money(value: object, currency: object = "", language: object = "", *, context: "RenderContext") -> str:
    """`{{ item.price | money: item.currency }}`: the amount with symbol and separators of the language.

    Empty for a missing amount. Raises for what is not a number.
    """
    if value is None or value == "":
        return ""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise FilterArgumentError(f"money: {str(value)[:40]!r} is not a number", token=None) from None
    if not amount.is_finite() or abs(amount) >= 10**15:
        raise FilterArgumentError("money: the amount is out of range", token=None)
    code = str(currency or "").upper()[:3]
    thousands, point, after = NUMBER_STYLES.get(_language(context, language), NUMBER_STYLES["en"])
    digits = 0 if code in NO_MINOR_UNIT else 2
    number = f"{abs(amount):,.{digits}f}".translate({ord(","): thousands, ord("."): point})
    sign = "-" if amount < 0 else ""
    symbol = SYMBOLS.get(code, code)
    if not symbol:
        return sign + number
    if after:
        return f"{sign}{number}\u00a0{symbol}"
    gap = "\u00a0" if symbol.isalpha() else ""
    return f"{sign}{symbol}{gap}{number}"


@with_context
def format_date(
    value: Any, style: object = "long", language: object = "", *, context: "RenderContext"
) -> str:
    """`{{ now | date }}`, `| date: "short"`, `| date: "%d.%m.%Y"`; takes dates, ISO texts, "now", "today".

    Empty for a missing date; a text that is no date comes back unchanged, as in the reference implementation.
    """
    if value is None or value == "":
        return ""
    moment = _moment(value)
    if moment is None:
        return str(value)
    fmt = str(style)
    tongue = _language(context, language)
    if fmt == "long":
        return _long(moment, tongue)
    if fmt == "short":
        return moment.strftime("%Y-%m-%d")
    if len(fmt) > 100 or not DATE_FORMAT.fullmatch(fmt):
        raise FilterArgumentError("date: this format is not allowed", token=None)
    return moment.strftime(fmt)


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
        return None


def _long(moment: date, language: str) -> str:
    if language in ("zh", "ja"):
        return f"{moment.year}年{moment.month}月{moment.day}日"
    month = MONTHS.get(language, MONTHS["en"]).split()[moment.month - 1]
    if language == "de":
        return f"{moment.day}. {month} {moment.year}"
    if language in ("es", "pt"):
        return f"{moment.day} de {month} de {moment.year}"
    return f"{moment.day} {month} {moment.year}"
