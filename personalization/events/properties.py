"""What the properties of an event tell: its item, its value, and the lines of an order. Pure: no database."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from personalization.events.errors import MessageError

# Which property is the event's value: the first that holds an amount.
VALUE_OF_ORDER = ("total", "value", "revenue", "price")
VALUE = ("value", "revenue", "total", "price")
ITEM = ("productId", "product_id", "sku")
VALUE_LIMIT = Decimal(10) ** 12
MAX_LINES = 500
CENT = Decimal("0.01")


class Occurrence(msgspec.Struct, frozen=True):
    """What becomes a row of events; `item` is the shop's own id."""

    message_id: str
    name: str
    properties: dict[str, Any]
    item: str = ""
    value: Decimal | None = None


def occurrences_of(name: str, properties: dict[str, Any], *, message_id: str) -> tuple[Occurrence, ...]:
    """The event itself, and for `Order Completed` its lines, whose sum it is worth where it names no amount.
    Raises MessageError.
    """
    value = _first_amount(properties, VALUE_OF_ORDER if name.startswith("Order ") else VALUE)
    lines = _lines(properties, message_id) if name == "Order Completed" else []
    if value is None and lines:
        value = _sum_of(lines)
    return (Occurrence(message_id, name, properties, _item(properties), value), *lines)


def _sum_of(lines: Sequence[Occurrence]) -> Decimal | None:
    """None when one of them has no price: half an order is no order's worth."""
    values = [line.value for line in lines if line.value is not None]
    return _in_range(sum(values, Decimal())) if len(values) == len(lines) else None


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
        value = properties.get(name)
        if value is not None and (amount := _amount(value)) is not None:
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
    return amount.quantize(CENT)
