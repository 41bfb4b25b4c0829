"""Local time in words: daypart, weekday, season, holiday."""

import zoneinfo
from datetime import date, datetime
from functools import cache, lru_cache

import holidays

from personalization.context import Moment

DAYPARTS = ("night", "morning", "afternoon", "evening")
# Meteorological, of the northern half: December to February, and so on.
SEASONS = ("winter", "spring", "summer", "autumn")
# Countries whose people mostly live south of the equator.
SOUTHERN = frozenset({
    "AO", "AR", "AU", "BI", "BO", "BR", "BW", "CD", "CG", "CK", "CL", "FJ", "ID", "KM", "LS",
    "MG", "MU", "MW", "MZ", "NA", "NC", "NR", "NZ", "PE", "PF", "PG", "PY", "RW", "SB", "SC",
    "SZ", "TL", "TO", "TV", "TZ", "UY", "VU", "WF", "WS", "ZA", "ZM", "ZW",
})  # fmt: skip
# Where the weekend is Friday and Saturday. Source: CLDR supplemental data, weekData.
_FRIDAY_SATURDAY = frozenset({
    "BH", "DZ", "EG", "IL", "IQ", "JO", "KW", "LY", "OM", "QA", "SA", "SD", "SY", "YE",
})  # fmt: skip


def tell_moment(
    at: datetime, *, zone: str, default_zone: str, country: str = "", latitude: float | None = None
) -> Moment:
    """`zone` that is no time zone counts as not given. `at` is aware."""
    name = zone if is_zone(zone) else default_zone
    local = at.astimezone(zoneinfo.ZoneInfo(name))
    south = latitude < 0 if latitude is not None else country in SOUTHERN
    weekday = local.isoweekday()
    return Moment(
        local=local,
        zone=name,
        daypart=DAYPARTS[local.hour // 6],
        weekday=weekday,
        is_weekend=weekday in ((5, 6) if country in _FRIDAY_SATURDAY else (6, 7)),
        season=SEASONS[(local.month % 12 // 3 + (2 if south else 0)) % 4],
        holiday=_holidays(country, local.year).get(local.date(), ""),
    )


def is_zone(name: str) -> bool:
    return name in zone_names()


@cache
def zone_names() -> frozenset[str]:
    """All of the IANA list. Once: the library reads the names from thousands of files."""
    return frozenset(zoneinfo.available_timezones())


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> dict[date, str]:
    """Public holidays by date, in the country's own language; none where the library knows no calendar."""
    try:
        # Without a language the library would take the server's.
        own = holidays.country_holidays(country).default_language if country else None
        return dict(holidays.country_holidays(country, years=year, language=own)) if country else {}
    except NotImplementedError:
        return {}
