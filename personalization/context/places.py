"""Where somebody is: as given, else by the network address, else by the profile."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

import maxminddb

from personalization.context import Place
from personalization.context.countries import code_of


class GeoReader(Protocol):
    """A GeoIP file in the MaxMind format (GeoLite2 City, DB-IP, IPinfo)."""

    def get(self, ip_address: str) -> Any: ...


@lru_cache(maxsize=4)
def open_geoip(path: str) -> GeoReader | None:
    """None without a path. Raises OSError and maxminddb.InvalidDatabaseError."""
    return maxminddb.open_database(path) if path else None


def tell_place(
    raw: Mapping[str, Any], traits: Mapping[str, Any], *, ip: str = "", geoip: GeoReader | None = None
) -> tuple[Place, str]:
    """The place, and the time zone of its network address ("" when not known)."""
    location = raw.get("location")
    given = _place(location, "given") if isinstance(location, Mapping) else Place()
    found, zone = _by_address(ip, geoip) if ip and geoip else (Place(), "")
    for place in (given, found, _place(traits, "traits")):
        if place.country or place.city or place.latitude is not None:
            return place, zone
    return Place(), zone


def _by_address(ip: str, geoip: GeoReader) -> tuple[Place, str]:
    try:
        record = geoip.get(str(ipaddress.ip_address(ip.strip())))
    except ValueError:
        return Place(), ""
    if not isinstance(record, Mapping):
        return Place(), ""

    def name(part: Any) -> str:
        names = part.get("names") if isinstance(part, Mapping) else None
        return str(names.get("en", ""))[:100] if isinstance(names, Mapping) else ""

    location = record.get("location") or {}
    regions = record.get("subdivisions") or [{}]
    place = Place(
        str((record.get("country") or {}).get("iso_code", "")),
        name(regions[0]),
        name(record.get("city")),
        _number(location, "latitude", 90),
        _number(location, "longitude", 180),
        "ip",
    )
    return place, str(location.get("time_zone", ""))


def country_code(said: str) -> str:
    """ISO 3166 with two letters, of those or of a name (the Segment spec's are English); "" for others."""
    code = said.upper()
    if len(code) == 2 and code.isalpha():
        return code
    return code_of(said)


def _place(raw: Mapping[str, Any], source: str) -> Place:
    latitude, longitude = _number(raw, "latitude", 90), _number(raw, "longitude", 180)
    whole = latitude is not None and longitude is not None
    return Place(
        country_code(_text(raw, "country")),
        _text(raw, "region"),
        _text(raw, "city"),
        latitude if whole else None,
        longitude if whole else None,
        source,
    )


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    return value.strip()[:100] if isinstance(value, str) else ""


def _number(raw: Mapping[str, Any], name: str, limit: float) -> float | None:
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
        return None
    return float(value)
