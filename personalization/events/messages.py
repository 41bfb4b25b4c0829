"""Messages of the Segment spec, read and checked one by one. Pure: no database.

In: the JSON object of one call, the call's name, when it was sent and received. Out: a Message, or
MessageError with a reason that names no personal data.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from personalization.context.reading import keep_context
from personalization.customers.contexts import geoip
from personalization.customers.errors import InvalidTraits
from personalization.customers.traits import MAX_DEPTH, SplitTraits, clean_json, clean_text, split_traits

CALLS = ("identify", "track", "page", "screen", "group", "alias")
NAMES = {"page": "Page Viewed", "screen": "Screen Viewed"}
# Which property is the event's value: the first that holds an amount.
VALUE_OF_ORDER = ("total", "value", "revenue", "price")
VALUE = ("value", "revenue", "total", "price")
ITEM = ("productId", "product_id", "sku")
VALUE_LIMIT = Decimal(10) ** 12
MAX_LINES = 500


# Escaped letters (a NUL, half a surrogate pair), numbers beyond what PostgreSQL takes.
_SUSPECT = re.compile(rb"\\u|[0-9]{30}|[0-9][eE]")


class MessageError(Exception):
    """Why one message is not taken."""


@dataclass(frozen=True)
class Occurrence:
    """What becomes a row of events; `item` is the shop's own id."""

    message_id: str
    name: str
    properties: dict[str, Any]
    item: str = ""
    value: Decimal | None = None


@dataclass(frozen=True)
class Message:
    call: str
    user_id: str
    anonymous_id: str
    occurred_at: datetime
    previous_id: str = ""
    traits: SplitTraits | None = None
    context: dict[str, Any] = field(default_factory=dict)
    occurrences: tuple[Occurrence, ...] = ()


def is_clean(raw: bytes) -> bool:
    """Whether this JSON holds nothing that `clean_json` would change or refuse; False is no verdict."""
    return not _SUSPECT.search(raw) and raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH


def read_message(
    body: Any, *, call: str = "", sent_at: datetime | None = None, received_at: datetime, clean: bool = False
) -> Message:
    """One message; `call` is empty in a batch, where `type` names it. Raises MessageError.

    `clean`: `is_clean` said so of the bytes it came in.
    """
    if not isinstance(body, dict):
        raise MessageError("not a JSON object")
    call = call or str(body.get("type", ""))
    if call not in CALLS:
        raise MessageError(f"type: one of {', '.join(CALLS)}")
    user_id, anonymous_id = _identifier(body, "userId"), _identifier(body, "anonymousId")
    previous_id = _identifier(body, "previousId") if call == "alias" else ""
    if call == "alias" and not (user_id and previous_id):
        raise MessageError("alias wants userId and previousId")
    if not (user_id or anonymous_id):
        raise MessageError("userId or anonymousId is needed")
    sent_at = _time(body, "sentAt") or sent_at
    occurred_at = _occurred_at(body, sent_at=sent_at, received_at=received_at)
    context = keep_context(_object(body, "context"), geoip=geoip())
    try:
        message_id = _message_id(body)
        return Message(
            call, user_id, anonymous_id, occurred_at, previous_id,
            traits=_traits(body, call),
            context=context if clean else clean_json(context),
            occurrences=_occurrences(body, call, message_id, clean=clean),
        )  # fmt: skip
    except InvalidTraits as error:
        raise MessageError(str(error)) from None


def _identifier(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise MessageError(f"{name}: not a text")
    text = clean_text(str(value)).strip()
    if len(text) > 200:
        raise MessageError(f"{name}: longer than 200 characters")
    return text


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MessageError(f"{name}: not a JSON object")
    return value


def _time(body: Mapping[str, Any], name: str) -> datetime | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if 1900 <= moment.year < 2200:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise MessageError(f"{name}: not an ISO 8601 time")


def parse_sent_at(body: Mapping[str, Any]) -> datetime | None:
    """A batch's `sentAt`; an unreadable one counts as absent, for it must not cost the whole batch."""
    try:
        return _time(body, "sentAt")
    except MessageError:
        return None


def _occurred_at(body: Mapping[str, Any], *, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The skew rule of the spec: how long before sending it happened is trusted, the client's clock is not.

    An event never lies in the future: a client clock that runs ahead would keep it in every recent window.
    """
    original, stated = _time(body, "originalTimestamp"), _time(body, "timestamp")
    if original and sent_at:
        happened = received_at - max(sent_at - original, timedelta(0))
    else:
        happened = original or stated or received_at
    return min(happened, received_at)


def _message_id(body: Mapping[str, Any]) -> str:
    """The sender's, else derived from the content where that says when it happened, else a new one."""
    given = body.get("messageId")
    if given not in (None, ""):
        return str(given)
    if body.get("timestamp") or body.get("originalTimestamp"):
        content = {name: value for name, value in body.items() if name not in ("sentAt", "writeKey")}
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()
    return uuid.uuid4().hex


def _traits(body: Mapping[str, Any], call: str) -> SplitTraits | None:
    if call == "identify":
        return split_traits(_object(body, "traits"))
    if call == "group":
        group = clean_json({**_object(body, "traits"), "id": _identifier(body, "groupId")})
        return SplitTraits({}, {"group": group})
    return None


def _occurrences(
    body: Mapping[str, Any], call: str, message_id: str, *, clean: bool
) -> tuple[Occurrence, ...]:
    if call not in ("track", "page", "screen"):
        return ()
    properties = _object(body, "properties")
    properties = dict(properties) if clean else clean_json(properties)
    if call == "track":
        name = body.get("event")
        if not isinstance(name, str) or not clean_text(name).strip():
            raise MessageError("event: a name is needed")
        name = clean_text(name).strip()
        if len(name) > 200:
            raise MessageError("event: longer than 200 characters")
    else:
        name = NAMES[call]
        if isinstance(body.get("name"), str):
            properties.setdefault("name", clean_text(body["name"]))
    value = _first_amount(properties, VALUE_OF_ORDER if name.startswith("Order ") else VALUE)
    event = Occurrence(message_id, name, properties, _item(properties), value)
    return (event, *(_lines(properties, message_id) if name == "Order Completed" else ()))


def _lines(properties: Mapping[str, Any], message_id: str) -> list[Occurrence]:
    """One `Order Line` per product, known by message and position; value = price × quantity."""
    products = properties.get("products")
    if not isinstance(products, list):
        return []
    if len(products) > MAX_LINES:
        raise MessageError(f"products: more than {MAX_LINES}")
    lines = []
    for position, product in enumerate(products):
        if isinstance(product, dict):
            price, quantity = _amount(product.get("price")), _amount(product.get("quantity", 1))
            value = None if price is None or quantity is None else _in_range(price * quantity)
            order = {"order_id": properties["order_id"]} if "order_id" in properties else {}
            lines.append(
                Occurrence(
                    f"{message_id}/line/{position}", "Order Line", {**order, **product}, _item(product), value
                )
            )
    return lines


def _item(properties: Mapping[str, Any]) -> str:
    for name in ITEM:
        value = properties.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:200]
    return ""


def _first_amount(properties: Mapping[str, Any], names: tuple[str, ...]) -> Decimal | None:
    for name in names:
        amount = _amount(properties.get(name))
        if amount is not None:
            return _in_range(amount)
    return None


def _amount(value: Any) -> Decimal | None:
    """None for what is not a number; it stays readable in the properties."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _in_range(amount: Decimal) -> Decimal:
    if not -VALUE_LIMIT < amount < VALUE_LIMIT:
        raise MessageError("the value is too large")
    return amount.quantize(Decimal("0.01"))
