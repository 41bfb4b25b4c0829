"""Numbers, amounts, dates and times as a language writes them, by CLDR (the babel library).

A language that CLDR does not know falls back to English. English without a country has the dates of most of
the world (24 December 2026) and the plain signs of currencies ($, €, £).
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, format_percent

STYLES = ("short", "medium", "long", "full")
WORLD_ENGLISH = "en_001"
MAX_DIGITS = 10
# CLDR sets a code of letters off from its digits; babel leaves that out.
SPACING = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@lru_cache(maxsize=1024)
def locale_of(language: str, country: str = "") -> Locale:
    """zh-Hans-CN, zh_cn, pt: the nearest that there is; a country adds what the language leaves open."""
    parts = language.replace("_", "-").split("-")[:3]
    for n in range(len(parts), 0, -1):
        given = "_".join(parts[:n])
        for tag in (f"{given}_{country}", given) if n == len(parts) and country else (given,):
            try:
                return Locale.parse(tag)
            except (UnknownLocaleError, ValueError, TypeError):
                continue
    return Locale.parse("en")


def _date_locale(locale: Locale) -> Locale:
    return Locale.parse(WORLD_ENGLISH) if locale.language == "en" and not locale.territory else locale


# The same price is printed for many customers; CLDR's patterns cost more than all else in a message.
@lru_cache(maxsize=8192)
def amount(value: Decimal, currency: str, locale: Locale) -> str:
    if not currency:
        return format_decimal(value, format=_pattern(locale, 2), locale=locale)
    return SPACING.sub("\u00a0", format_currency(value, currency, locale=locale))


@lru_cache(maxsize=8192)
def number(value: Decimal, digits: int | None, locale: Locale) -> str:
    if digits is None:
        return format_decimal(value, locale=locale, decimal_quantization=False)
    return format_decimal(value, format=_pattern(locale, digits), locale=locale)


@lru_cache(maxsize=8192)
def percent(share: Decimal, digits: int, locale: Locale) -> str:
    sign = "\u00a0%" if "\u00a0" in locale.percent_formats[None].pattern else "%"
    return format_percent(share, format=_pattern(locale, digits) + sign, locale=locale)


def _pattern(locale: Locale, digits: int) -> str:
    """With the groups of the language: 12,34,567 in Hindi."""
    whole = locale.decimal_formats[None].pattern.split(";")[0].split(".")[0]
    return whole + ("." + "0" * digits if digits else "")


@lru_cache(maxsize=8192)
def day(moment: date, style: str, locale: Locale) -> str:
    return format_date(moment, style, locale=_date_locale(locale))


def clock(moment: datetime, style: str, locale: Locale) -> str:
    return format_time(_wall(moment).time(), style, locale=_date_locale(locale))


def day_and_clock(moment: datetime, style: str, locale: Locale) -> str:
    return format_datetime(_wall(moment), style, locale=_date_locale(locale))


def _wall(moment: datetime) -> datetime:
    # babel would turn a time with a zone into UTC.
    return moment.replace(tzinfo=None)


def in_zone(moment: date, zone: str) -> date:
    """A time in UTC as the clock shows it in `zone`; a day, and a time of another zone, as it is."""
    if not isinstance(moment, datetime) or not zone or not _is_utc(moment):
        return moment
    try:
        return moment.astimezone(_zone(zone))
    except (KeyError, ValueError, OSError, OverflowError):
        return moment


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _is_utc(moment: datetime) -> bool:
    zone: Any = moment.tzinfo
    return zone is UTC or str(zone) in ("UTC", "Etc/UTC")
