"""The moment in which a list is asked for: what is looked at, what lies in the cart, when, where, on what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from personalization.context import Context
from recommender.inputs.event_columns import DEVICES
from recommender.inputs.interactions import context_at


@dataclass(frozen=True)
class Moment:
    """What the caller knows beside the customer; every part may be missing.

    `current_item` and `cart` (item ids) count as the newest part of the history and are never recommended
    themselves. `device` is one of `event_columns.DEVICES` (another word counts as unknown), `at` the time of
    the list (None: now), `place` a country or city.
    """

    current_item: int | None = None
    cart: tuple[int, ...] = ()
    device: str = ""
    at: datetime | None = None
    place: str = ""

    @classmethod
    def of(cls, context: Context, *, item_ids: Mapping[str, int]) -> "Moment":
        """From the situation that rules and templates see; `item_ids`: ours by the shop's own ids. Items that
        the catalog does not know are left out."""
        cart = tuple(item_ids[line.item] for line in context.cart if line.item in item_ids)
        return cls(
            item_ids.get(context.item),
            cart,
            context.device.kind,
            context.time.local,
            context.place.city or context.place.country,
        )

    @property
    def items(self) -> tuple[int, ...]:
        """What the customer is busy with, each once, the current item last."""
        current = () if self.current_item is None else (self.current_item,)
        return tuple(dict.fromkeys(item for item in self.cart if item not in current)) + current

    @property
    def seconds(self) -> int:
        return int((self.at or timezone.now()).timestamp())

    def columns(self) -> dict[str, float | str]:
        """In the words of `load_events`, for models that learned from context, and `now` in seconds."""
        at = self.at or timezone.now()
        known: dict[str, float | str] = {"now": at.timestamp(), **context_at(at)}
        if self.device.lower() in DEVICES:
            known["device"] = self.device.lower()
        return known
