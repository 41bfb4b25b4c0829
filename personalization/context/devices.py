"""Device and client from what a program says about itself."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import ua_parser

from personalization.context import Client, Device

_LONGEST = 1000
_PHONES = ("iPhone", "iPod", "Windows Phone")
_DESKTOPS = ("Windows", "Mac OS X", "Linux", "Ubuntu", "Chrome OS", "Fedora", "Debian")
# How the Segment spec and others call it, to our words.
_TYPES = {
    "ios": "mobile", "android": "mobile", "mobile": "mobile", "phone": "mobile", "smartphone": "mobile",
    "tablet": "tablet", "ipad": "tablet", "desktop": "desktop", "computer": "desktop", "tv": "tv",
    "bot": "bot",
}  # fmt: skip


def tell_device(raw: Mapping[str, Any]) -> tuple[Device, Client]:
    """From `userAgent`, `device`, `os`, `app` and `locale` of the Segment spec; what is said wins."""
    agent = raw.get("userAgent")
    device, client = parse_agent(agent[:_LONGEST]) if isinstance(agent, str) and agent else _NOTHING
    said, system, app = (_object(raw, name) for name in ("device", "os", "app"))
    kind = _TYPES.get(_text(said, "type").lower(), "")
    return (
        Device(
            # An iPad calls itself ios like a phone: the user agent tells them apart.
            device.kind if kind == "mobile" and device.kind == "tablet" else kind or device.kind,
            _text(said, "manufacturer") or device.brand,
            _text(said, "model") or device.model,
        ),
        Client(
            _text(app, "name") or client.name,
            _text(app, "version") or client.version,
            _text(system, "name") or client.system,
            _text(system, "version") or client.system_version,
            _text(raw, "locale"),
        ),
    )


@lru_cache(maxsize=10_000)
def parse_agent(agent: str) -> tuple[Device, Client]:
    found = ua_parser.parse(agent)
    device, system, program = found.device, found.os, found.user_agent
    client = Client(
        program.family if program else "",
        program.major or "" if program else "",
        system.family if system else "",
        system.major or "" if system else "",
    )
    family = (device.family or "") if device else ""
    brand, model = (device.brand or "", device.model or "") if device else ("", "")
    return Device(_kind(agent, family, client.system, brand), brand, model), client


def _kind(agent: str, family: str, system: str, brand: str) -> str:
    if family == "Spider" or "bot" in agent.lower():
        return "bot"
    if family == "iPad" or "Tablet" in brand or "Tablet" in agent:
        return "tablet"
    if any(word in agent for word in ("SmartTV", "SMART-TV", "AppleTV", "BRAVIA", "Android TV", "Roku")):
        return "tv"
    if family.startswith(_PHONES) or "Mobile" in agent:
        return "mobile"
    if system == "Android":  # without “Mobile” it is a tablet, by Google's own rule
        return "tablet"
    return "desktop" if system in _DESKTOPS else ""


_NOTHING = (Device(), Client())


def _object(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    return str(value)[:200] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
