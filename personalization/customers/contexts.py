"""The situation of one of our customers, with the shop's settings: its time zone, its GeoIP file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from personalization.context import Context
from personalization.context.places import GeoReader, open_geoip
from personalization.context.reading import read_context


def geoip() -> GeoReader | None:
    """The file of GEOIP_FILE; None where none is set."""
    return open_geoip(settings.GEOIP_FILE)


def context_of(
    profile: Mapping[str, Any] | None, *, at: datetime, raw: Mapping[str, Any] | None = None, ip: str = ""
) -> Context:
    """`profile`: country, city, time_zone and last device of a customer, as `selectors.profiles` has them;
    `raw`: the words of the Segment spec, which win; `ip` is looked up and forgotten."""
    device = ((profile or {}).get("traits") or {}).get("last_device")
    known = {"device": {"type": device}} if isinstance(device, str) else {}
    return read_context(
        {**known, **(raw or {})}, at=at, default_zone=settings.TIME_ZONE, traits=profile, ip=ip, geoip=geoip()
    )
