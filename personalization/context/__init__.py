"""In which situation somebody is: place, time, device, client, referrer, campaign, cart.

One frozen object for rules, templates, recommenders and the API. Pure: no Django, no database. An IP address
goes in at most to find a place, and never comes out.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec


@dataclass(frozen=True)
class Place:
    """`country` ISO 3166 with two letters. `source`: given, ip, traits, or "" for unknown."""

    country: str = ""
    region: str = ""
    city: str = ""
    latitude: float | None = None
    longitude: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Moment:
    """The customer's own time. `weekday` 1 is Monday; `season` by months and hemisphere; `holiday` a name."""

    local: datetime
    zone: str
    daypart: str
    weekday: int
    is_weekend: bool
    season: str
    holiday: str = ""


@dataclass(frozen=True)
class Device:
    """`kind`: mobile, tablet, desktop, tv, bot, or "" for unknown."""

    kind: str = ""
    brand: str = ""
    model: str = ""


@dataclass(frozen=True)
class Client:
    """The program on the device: a browser or an app, and what it runs on."""

    name: str = ""
    version: str = ""
    system: str = ""
    system_version: str = ""
    language: str = ""


@dataclass(frozen=True)
class Origin:
    """Where a visit came from: the referring site (a host, no more), and the campaign of its link (utm)."""

    referrer: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""
    term: str = ""
    content: str = ""


@dataclass(frozen=True)
class CartLine:
    """`item`: the shop's own id; `price` of one."""

    item: str
    quantity: float = 1
    price: float | None = None


@dataclass(frozen=True)
class Context:
    time: Moment
    place: Place = Place()
    device: Device = Device()
    client: Client = Client()
    origin: Origin = Origin()
    page: str = ""
    item: str = ""
    cart: tuple[CartLine, ...] = field(default=())

    @property
    def cart_value(self) -> float:
        return round(sum(line.quantity * (line.price or 0) for line in self.cart), 2)


def as_json(context: Context) -> dict[str, Any]:
    """As the API shows it: plain JSON values."""
    shown: dict[str, Any] = msgspec.to_builtins(context)
    return shown | {"cart_value": context.cart_value}


def as_values(context: Context) -> dict[str, Any]:
    """As templates see it: `context.daypart`, `context.place.city`, `context.cart_value`."""
    shown = as_json(context)
    return {**shown, **shown["time"], "local": context.time.local, "cart": shown["cart"]}
