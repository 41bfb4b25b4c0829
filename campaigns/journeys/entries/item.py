"""Lets in who was interested in an item whose price fell, or that can be bought again."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys import happened
from campaigns.journeys.entries._base import Entrant, Entry
from campaigns.journeys.nodes._base import Field, Wrong, number
from campaigns.models import Journey

CHANGES = ("price_drop", "back_in_stock")


class ItemEntry(Entry):
    name = "item"
    label = gettext_lazy("A change of an item")
    fields = (
        Field(
            "change", gettext_lazy("Change"), "choice",
            help=gettext_lazy("price_drop: it costs less. back_in_stock: it can be bought again."),
        ),
        Field("percent", gettext_lazy("Cheaper by at least, %"), "number", is_needed=False, default=5),
        Field("event", gettext_lazy("Who was interested: did this event with the item"), "event",
              default="Product Viewed"),
        Field("days", gettext_lazy("In the last days"), "number", default=30),
        Field("bought", gettext_lazy("But not whoever did this with it since"), "event", is_needed=False,
              default="Order Completed"),
    )  # fmt: skip
    every = timedelta(minutes=1)

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        if params.get("change") not in CHANGES:
            yield "change", _("Choose one of the offered values.")
        if not 0 <= number(params, "percent", 5) < 100:
            yield "percent", _("Write a share between 0 and 100 %.")
        if not happened.is_event_name(params.get("event")):
            yield "event", _("Name the event.")
        if not 0 < number(params, "days", 30) <= 366:
            yield "days", _("This number is too small or too large.")

    def describe(self, params: Mapping[str, Any]) -> str:
        return _("price drop") if params.get("change") == "price_drop" else _("back in stock")

    def open(self, journey: Journey, params: Mapping[str, Any], *, now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_LOOK, {"journey": journey.pk})

    def find(
        self, journey: Journey, params: Mapping[str, Any], *, since: datetime, now: datetime, by: str
    ) -> Iterable[Entrant]:
        with connection.cursor() as cursor:
            cursor.execute(
                _CHANGED[str(params["change"])],
                {"journey": journey.pk, "left": 1 - number(params, "percent", 5) / 100},
            )
            changed = {item: (was, now_) for item, was, now_ in cursor.fetchall()}
            cursor.execute(_LOOK, {"journey": journey.pk})
            if not changed:
                return
            cursor.execute(
                _INTERESTED,
                {
                    "items": list(changed), "event": params["event"], "bought": params.get("bought") or "",
                    "after": now - timedelta(days=number(params, "days", 30)), "now": now,
                },
            )  # fmt: skip
            rows = cursor.fetchall()
        for customer, item, external_id in rows:
            was, price = changed[item]
            entry = {
                "item": external_id, "was": None if was is None else float(was),
                "price": None if price is None else float(price),
            }  # fmt: skip
            yield Entrant(customer, f"item:{item}:{now.isoformat()}", now, entry)


_LOOK = """
    INSERT INTO campaigns_itemlook (journey_id, item_id, price, is_available)
    SELECT %(journey)s, i.id, i.price, coalesce(i.stock, 1) > 0 FROM catalog_item AS i ORDER BY i.id
    ON CONFLICT (journey_id, item_id) DO UPDATE SET price = excluded.price,
        is_available = excluded.is_available
    WHERE (campaigns_itemlook.price, campaigns_itemlook.is_available)
        IS DISTINCT FROM (excluded.price, excluded.is_available)
"""
_CHANGED = {
    "price_drop": """
        SELECT i.id, l.price, i.price FROM catalog_item AS i
        JOIN campaigns_itemlook AS l ON l.item_id = i.id AND l.journey_id = %(journey)s
        WHERE i.price <= l.price * %(left)s::numeric AND i.price < l.price
            AND coalesce(i.stock, 1) > 0 AND NOT i.is_hidden
    """,
    "back_in_stock": """
        SELECT i.id, l.price, i.price FROM catalog_item AS i
        JOIN campaigns_itemlook AS l ON l.item_id = i.id AND l.journey_id = %(journey)s
        WHERE NOT l.is_available AND coalesce(i.stock, 1) > 0 AND NOT i.is_hidden
    """,
}
# One item per customer: the one looked at last.
_INTERESTED = """
    SELECT DISTINCT ON (e.customer_id) e.customer_id, e.item_id, i.external_id
    FROM events_event AS e JOIN catalog_item AS i ON i.id = e.item_id
    WHERE e.name = %(event)s AND e.item_id = ANY(%(items)s)
        AND e.occurred_at > %(after)s AND e.occurred_at <= %(now)s
        AND NOT EXISTS (SELECT FROM events_event AS b WHERE b.customer_id = e.customer_id
            AND b.item_id = e.item_id AND b.name = %(bought)s AND b.occurred_at >= e.occurred_at)
    ORDER BY e.customer_id, e.occurred_at DESC
"""
