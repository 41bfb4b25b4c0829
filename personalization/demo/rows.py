"""From the simulated world to the rows of the product's own tables; nothing latent goes along."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from uuid import UUID

from personalization.catalog.models import Item
from personalization.customers.models import Channel, Consent, Customer
from personalization.demo import people
from personalization.demo.behavior import YEAR_DAYS, Behavior, Kind
from personalization.demo.goods import BRANDS, DEPARTMENTS, Words
from personalization.demo.world import World

CURRENCY = "EUR"
EVENT_NAMES = {
    Kind.VIEWED: "Product Viewed",
    Kind.ADDED: "Product Added",
    Kind.ORDERED: "Order Completed",
    Kind.LINE: "Order Line",
    Kind.RATED: "Product Rated",
}
EVENT_COLUMNS = (
    "customer_id", "message_key", "name", "item_id", "value",
    "properties", "context", "occurred_at", "received_at",
)  # fmt: skip


def customers(world: World, *, now: datetime) -> list[Customer]:
    people_ = world.customers
    return [
        Customer(
            external_id=people_.external_id[i], email=people_.email[i],
            first_name=people_.first_name[i], last_name=people_.last_name[i],
            language=people_.language[i], country=people_.place[i].country, city=people_.place[i].city,
            time_zone=people_.place[i].time_zone,
            created_at=now - timedelta(days=float(people_.joined_days[i])), updated_at=now,
            traits={
                "device": people.DEVICES[people_.device[i]],
                "loyalty": people.TIERS[people_.tier[i]],
                "found_us": people.CHANNELS[people_.channel[i]],
            },
        )
        for i in range(len(people_))
    ]  # fmt: skip


def consents(world: World, saved: list[Customer]) -> Iterator[Consent]:
    """Those who said yes, and every second of the others, who said no; the rest never answered."""
    for i, customer in enumerate(saved):
        granted = bool(world.customers.consented[i])
        if granted or i % 2:
            yield Consent(
                customer=customer, channel=Channel.EMAIL, granted=granted, source="sign-up form",
                recorded_at=customer.created_at,
            )  # fmt: skip


def items(world: World, *, site_url: str) -> list[Item]:
    return [_item(world, row, site_url) for row in range(len(world.items))]


def _item(world: World, row: int, site_url: str) -> Item:
    goods = world.items
    department = DEPARTMENTS[goods.department[row]]
    category = department.categories[goods.category[row]]
    thing, _usual = category.things[goods.thing[row]]
    finish, finish_line = department.finishes[goods.finish[row]]
    code = f"{goods.department[row]}-{goods.category[row]}-{goods.thing[row]}-{goods.finish[row]}"
    return Item(
        external_id=goods.external_id[row],
        name=f"{finish.en} {thing.en}",
        description=f"{category.line.en} {finish_line.en}",
        categories=_path(department.name, category.name, thing),
        brand=BRANDS[goods.brand[row]],
        price=Decimal(f"{goods.price[row]:.2f}"), currency=CURRENCY, stock=int(goods.stock[row]),
        url=f"{site_url}/demo/items/{goods.external_id[row]}/",
        image_url=f"{site_url}/demo/pictures/{code}.svg",
        translations={
            "zh": {
                "name": f"{finish.zh}{thing.zh}",
                "description": f"{category.line.zh}{finish_line.zh}",
                "categories": [department.name.zh, category.name.zh, thing.zh],
            }
        },
        attributes={"finish": finish.en},
    )  # fmt: skip


def _path(department: Words, category: Words, thing: Words) -> list[str]:
    """Some categories are divided further, others are not: as in real catalogs."""
    short = category.en in ("Tea", "Seeds", "Soap", "Puzzles")
    return [department.en, category.en] if short else [department.en, category.en, thing.en]


def message_key(message_id: str) -> UUID:
    """As events keep it: 128-bit BLAKE2b of the messageId."""
    return UUID(bytes=blake2b(message_id.encode(), digest_size=16).digest())


def event_lines(
    world: World, behavior: Behavior, *, customer_ids: list[int], item_ids: list[int], now: datetime
) -> Iterator[str]:
    """Lines for COPY of EVENT_COLUMNS. The texts hold no tab, line end or backslash: nothing to escape."""
    prices = [f"{price:.2f}" for price in world.items.price]
    products = _products_by_order(world, behavior, prices)
    contexts = [json.dumps({"device": {"type": people.DEVICES[device]}}) for device in world.customers.device]
    item_of = [*map(str, item_ids), "\\N"]  # row -1, an order, has no item of its own
    start = now - timedelta(days=YEAR_DAYS)
    received = now.isoformat()
    columns = (
        behavior.kind,
        behavior.customer,
        behavior.item,
        behavior.seconds,
        behavior.order,
        behavior.amount,
    )
    for number, (kind, customer, item, seconds, order, amount) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        key = blake2b(f"demo-{world.seed}-{number}".encode(), digest_size=16).hexdigest()
        value, properties = "\\N", "{}"
        if kind == Kind.ORDERED:
            value, properties = products[order]
        elif kind == Kind.LINE:
            value = f"{world.items.price[item] * amount:.2f}"
            properties = f'{{"order_id": "demo-o{order}", "quantity": {amount}, "price": {prices[item]}}}'
        elif kind == Kind.RATED:
            properties = f'{{"rating": {amount}}}'
        at = (start + timedelta(seconds=seconds)).isoformat()
        yield (
            f"{customer_ids[customer]}\t{key}\t{EVENT_NAMES[Kind(kind)]}\t{item_of[item]}\t"
            f"{value}\t{properties}\t{contexts[customer]}\t{at}\t{received}\n"
        )


def _products_by_order(world: World, behavior: Behavior, prices: list[str]) -> dict[int, tuple[str, str]]:
    """For each order its total and its properties as JSON."""
    products: dict[int, list[dict[str, object]]] = {}
    totals: dict[int, float] = {}
    lines = behavior.kind == Kind.LINE
    for order, item, quantity in zip(
        behavior.order[lines].tolist(),
        behavior.item[lines].tolist(),
        behavior.amount[lines].tolist(),
        strict=True,
    ):
        products.setdefault(order, []).append(
            {"product_id": world.items.external_id[item], "quantity": quantity, "price": float(prices[item])}
        )
        totals[order] = totals.get(order, 0.0) + float(prices[item]) * quantity
    return {
        order: (
            f"{totals[order]:.2f}",
            json.dumps({"order_id": f"demo-o{order}", "currency": CURRENCY, "products": products[order]}),
        )
        for order in products
    }
