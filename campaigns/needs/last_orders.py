"""`{% last_orders count: 3 as orders %}`: the customer's own history, newest order first."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from campaigns.needs._base import Asked, Given, Provider, Scene
from personalization.catalog import selectors as catalog
from personalization.content.errors import RenderError
from personalization.content.needs import Need
from personalization.events.orders import Order, last_orders

COUNT, MAX_COUNT, MAX_DAYS = 3, 20, 3650


def read_arguments(arguments: Mapping[str, Any]) -> tuple[int, int]:
    """How many orders, and from how many days. Raises ValueError."""
    count, days = arguments.get("count", COUNT), arguments.get("days", MAX_DAYS)
    if type(count) is not int or not 1 <= count <= MAX_COUNT:
        raise ValueError(_("count is a number from 1 to %(n)s") % {"n": MAX_COUNT})
    if type(days) is not int or not 1 <= days <= MAX_DAYS:
        raise ValueError(_("days is a number from 1 to %(n)s") % {"n": MAX_DAYS})
    return count, days


class LastOrdersProvider(Provider):
    name = "last_orders"

    def problems(self, need: Need) -> Iterator[str]:
        try:
            read_arguments(need.fixed())
        except ValueError as error:
            yield str(error)

    def load(self, asked: Sequence[Asked], scene: Scene) -> Mapping[tuple[int, str], Given]:
        found: dict[tuple[int, str], Given] = {}
        alike: dict[tuple[int, int], list[Asked]] = defaultdict(list)
        for one in asked:
            try:
                alike[read_arguments(one.arguments)].append(one)
            except ValueError as error:
                found[one.key] = Given(RenderError(f"last_orders: {error}"))
        for (count, days), several in alike.items():
            since = scene.at - timedelta(days=days)
            orders = last_orders(
                {one.customer_id for one in several}, count=count, since=since, until=scene.at
            )
            items = catalog.items(
                {item for some in orders.values() for order in some for item, _n in order.lines}
            )
            for one in several:
                language = str(one.profile.get("language") or "")
                mine = orders.get(one.customer_id, [])
                value = [_as_value(order, items, language) for order in mine]
                found[one.key] = Given(value, [order.order_id for order in mine])
        return found


def _as_value(order: Order, items: Mapping[int, Mapping[str, Any]], language: str) -> dict[str, Any]:
    lines = [
        {**catalog.localized(items[item], language), "quantity": quantity}
        for item, quantity in order.lines
        if item in items
    ]
    return {
        "id": order.order_id, "at": order.at, "total": order.total, "currency": order.currency,
        "items": lines,
    }  # fmt: skip
