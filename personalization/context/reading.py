"""From the `context` of the Segment spec, and what else is known, to a Context.

In: the client's own words, the time, traits, perhaps a network address. Lenient, for clients fill these
fields with anything: what cannot be read counts as not said. `check_context` is the strict side, for our API.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from personalization.context import CartLine, Context, Origin
from personalization.context.devices import tell_device
from personalization.context.places import GeoReader, tell_place
from personalization.context.times import tell_moment

MOST_LINES = 200
# Never kept: where somebody surfs from, and traits that were not said on purpose.
DROPPED = frozenset({"ip", "traits"})
_KINDS: dict[str, tuple[type, ...]] = {
    "location": (dict,), "device": (dict,), "os": (dict,), "app": (dict,), "page": (dict,),
    "campaign": (dict,), "referrer": (dict, str), "userAgent": (str,), "timezone": (str,),
    "locale": (str,), "cart": (list,), "item": (str, int), "ip": (str,),
}  # fmt: skip


def read_context(
    raw: Mapping[str, Any],
    *,
    at: datetime,
    default_zone: str,
    traits: Mapping[str, Any] | None = None,
    ip: str = "",
    geoip: GeoReader | None = None,
) -> Context:
    """`at` is aware; `traits` country, city, time_zone of the profile. The first that is known wins: what the
    client says, what the address tells, what the profile says."""
    traits = traits or {}
    place, zone = tell_place(raw, traits, ip=ip, geoip=geoip)
    said = raw.get("timezone")
    zones = (said if isinstance(said, str) else "", zone, str(traits.get("time_zone") or ""))
    device, client = tell_device(raw)
    page = _object(raw, "page")
    item = raw.get("item")
    return Context(
        time=tell_moment(
            at, zone=next((name for name in zones if name), ""), default_zone=default_zone,
            country=place.country, latitude=place.latitude,
        ),
        place=place,
        device=device,
        client=client,
        origin=_origin(raw, page),
        page=urlsplit(_text(page, "url")).path if page.get("url") else _text(page, "path"),
        item=str(item)[:200] if isinstance(item, str | int) and not isinstance(item, bool) else "",
        cart=_cart(raw.get("cart")),
    )  # fmt: skip


def keep_context(raw: Mapping[str, Any], *, geoip: GeoReader | None = None) -> dict[str, Any]:
    """What of an event's context is stored: no address and no traits. With a GeoIP file the place of the
    address is, where the client gave none."""
    kept = {name: value for name, value in raw.items() if name not in DROPPED}
    ip = raw.get("ip")
    if geoip is not None and isinstance(ip, str) and "location" not in kept:
        place, zone = tell_place({}, {}, ip=ip, geoip=geoip)
        found = {"country": place.country, "region": place.region, "city": place.city}
        if known := {name: value for name, value in found.items() if value}:
            kept["location"] = known
        if zone:
            kept.setdefault("timezone", zone)
    return kept


def check_context(raw: Any) -> list[tuple[str, str]]:
    """What is wrong with it, as (JSON pointer, reason); empty when it can be read."""
    if not isinstance(raw, Mapping):
        return [("", "a JSON object is expected")]
    wrong = [(f"/{name}", "there is no such part") for name in raw if name not in _KINDS]
    for name, kinds in _KINDS.items():
        if raw.get(name) is not None and not isinstance(raw[name], kinds):
            wrong.append((f"/{name}", f"{' or '.join(kind.__name__ for kind in kinds)} is expected"))
    for place, line in enumerate(raw.get("cart") or [] if isinstance(raw.get("cart"), list) else []):
        if _line(line) is None:
            wrong.append((f"/cart/{place}", "an item id, or an object with `item`, `quantity` and `price`"))
    return wrong


def _origin(raw: Mapping[str, Any], page: Mapping[str, Any]) -> Origin:
    campaign, referrer = _object(raw, "campaign"), raw.get("referrer")
    address = _text(referrer, "url") if isinstance(referrer, Mapping) else referrer
    address = address if isinstance(address, str) and address else _text(page, "referrer")
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        host = ""
    return Origin(
        referrer=host[:200],
        source=_text(campaign, "source"),
        medium=_text(campaign, "medium"),
        campaign=_text(campaign, "name"),
        term=_text(campaign, "term"),
        content=_text(campaign, "content"),
    )


def _cart(raw: Any) -> tuple[CartLine, ...]:
    lines = raw[:MOST_LINES] if isinstance(raw, Sequence) and not isinstance(raw, str) else ()
    return tuple(line for one in lines if (line := _line(one)) is not None)


def _line(raw: Any) -> CartLine | None:
    """An item id, or an object with the words of the Segment spec."""
    if isinstance(raw, str | int) and not isinstance(raw, bool):
        return CartLine(str(raw)[:200])
    if not isinstance(raw, Mapping):
        return None
    names = ("item", "product_id", "productId", "sku")
    item = next((raw[name] for name in names if isinstance(raw.get(name), str | int)), None)
    quantity, price = _amount(raw.get("quantity", 1)), _amount(raw.get("price"))
    if item is None or quantity is None:
        return None
    return CartLine(str(item)[:200], quantity, price)


def _amount(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < 1e12 else None


def _object(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    return value.strip()[:500] if isinstance(value, str) else ""
