# ruff: noqa: E501
"""Amounts, numbers, shares, dates and times by language, country and time zone. Expected values are CLDR's."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from personalization.content.errors import RenderError
from personalization.content.language import TEXT

NBSP, THIN = "\u00a0", "\u202f"
AT = datetime(2026, 12, 24, 17, 30, tzinfo=UTC)


def shown(source: str, *, language: Any = "en", country: str = "", zone: str = "", **values: Any) -> str:
    customer = {"language": language, "country": country, "time_zone": zone}
    return TEXT.from_string("{{ " + source + " }}").render_values({"customer": customer, **values})


MONEY = [
    ("en", "", "EUR", "€1,234.50"), ("en", "US", "USD", "$1,234.50"), ("en", "GB", "GBP", "£1,234.50"),
    ("zh", "", "CNY", "¥1,234.50"), ("zh-Hans", "CN", "CNY", "¥1,234.50"), ("ja", "JP", "JPY", "￥1,234"),
    ("de", "", "EUR", f"1.234,50{NBSP}€"), ("de", "CH", "CHF", f"CHF{NBSP}1’234.50"),
    ("fr", "FR", "EUR", f"1{THIN}234,50{NBSP}€"), ("pt_BR", "", "BRL", f"R${NBSP}1.234,50"),
    ("en", "IN", "INR", "₹1,234.50"), ("en", "", "KWD", f"KWD{NBSP}1,234.500"), ("xx", "", "EUR", "€1,234.50"),
    ("", "", "EUR", "€1,234.50"), (None, "", "", "1,234.50"), ("../../etc/passwd", "", "EUR", "€1,234.50"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "country", "currency", "expected"), MONEY)
def test_an_amount(language: Any, country: str, currency: str, expected: str) -> None:
    found = shown("p | money: c", language=language, country=country, p=Decimal("1234.50"), c=currency)
    assert found == expected


@pytest.mark.parametrize(
    ("source", "language", "expected"),
    [
        ("1234567.5 | number", "en", "1,234,567.5"), ("1234567.5 | number", "de", "1.234.567,5"),
        ("1234567.5 | number", "hi", "12,34,567.5"), ("1234567.5 | number: 2", "hi", "12,34,567.50"),
        ("2.005 | number: 1", "fr", "2,0"), ("'12' | number", "en", "12"),
        ("0.25 | percent", "en", "25%"), ("0.25 | percent", "de", f"25{NBSP}%"), ("0.255 | percent: 1", "de", f"25,5{NBSP}%"),
        ("0.25 | percent", "zh", "25%"), ("x | number", "en", ""), ("x | percent", "en", ""), ("x | money: 'EUR'", "en", ""),
        ("5 | money: 'EUR', 'de'", "en", f"5,00{NBSP}€"), ("5 | money: 'USD', 'en-US'", "de", "$5.00"),
    ],
)  # fmt: skip
def test_a_number_and_a_share(source: str, language: str, expected: str) -> None:
    assert shown(source, language=language) == expected


DATES = [
    ("now | date", "en", "", "24 December 2026"), ("now | date", "en", "US", "December 24, 2026"),
    ("now | date", "zh", "", "2026年12月24日"), ("now | date", "de", "", "24. Dezember 2026"),
    ("now | date", "pt", "BR", "24 de dezembro de 2026"), ("now | date: 'short'", "en", "US", "12/24/26"),
    ("now | date: 'medium'", "fr", "", "24 déc. 2026"), ("now | date: 'full'", "de", "", "Donnerstag, 24. Dezember 2026"),
    ("now | date: 'full'", "zh", "", "2026年12月24日星期四"), ("now | date: 'iso'", "de", "", "2026-12-24"),
    ("now | date: '%d.%m.%Y'", "de", "", "24.12.2026"), ("now | date: 'long', 'zh'", "de", "", "2026年12月24日"),
    ("now | time", "de", "", "17:30"), ("now | time", "en", "US", f"5:30{THIN}PM"), ("now | time", "en", "GB", "17:30"),
    ("now | datetime: 'short'", "de", "", "24.12.26, 17:30"), ("'no date' | date", "en", "", "no date"),
    ("'March 14, 2016' | date: '%b %d, %y'", "de", "", "Mar 14, 16"), ("'May' | date", "en", "", "May"),
    ("nothing | date", "en", "", ""), ("nothing | time", "en", "", ""), ("'2026-02-03' | time", "de", "", "00:00"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "language", "country", "expected"), DATES)
def test_a_day_and_a_time(source: str, language: str, country: str, expected: str) -> None:
    assert shown(source, language=language, country=country, now=AT) == expected


def test_a_time_in_utc_is_told_on_the_customers_clock() -> None:
    late = datetime(2026, 12, 24, 20, tzinfo=UTC)
    assert shown("t | date: '%F %H:%M'", zone="Asia/Shanghai", t=late) == "2026-12-25 04:00"
    assert shown("t | date: 'iso'", zone="Asia/Shanghai", t="2026-12-24T20:00:00Z") == "2026-12-25"
    assert shown("t | datetime: 'short'", language="de", zone="America/New_York", t=late) == "24.12.26, 15:00"
    summer = datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert shown("t | time", language="de", zone="Europe/Berlin", t=summer) == "12:00"


def test_a_day_and_a_time_of_another_zone_stay_as_they_are() -> None:
    assert shown("t | date: 'iso'", zone="Asia/Shanghai", t=date(2026, 12, 24)) == "2026-12-24"
    assert shown("t | time", language="de", zone="Asia/Shanghai", t="2026-12-24T20:00:00") == "20:00"
    there = datetime(2026, 12, 24, 20, tzinfo=timezone(timedelta(hours=-5)))
    assert shown("t | time", language="de", zone="Asia/Shanghai", t=there) == "20:00"


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "\0", "x" * 500])
def test_a_time_zone_that_is_none_changes_nothing(zone: str) -> None:
    assert shown("t | time", language="de", zone=zone, t=AT) == "17:30"


@pytest.mark.parametrize(
    "source",
    [
        "'word' | number", "'word' | percent", "'word' | money", "'1e99999999' | money",
        "'NaN' | number", "'Infinity' | percent", "1 | number: 11", "1 | number: -1", "1 | number: 'x'",
        "now | time: 'full'", "now | time: 'x'", "now | date: '%99999d'", "now | datetime: 'yyyy'",
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_an_error(source: str) -> None:
    with pytest.raises(RenderError):
        shown(source, now=AT)
