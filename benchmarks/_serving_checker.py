"""The checker that every list is held against: it knows the shop from its own simple queries, and the rules
from how they are written down. Nothing of the code that makes lists is used.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Checker:
    def __init__(self) -> None:
        from personalization.catalog.models import Item
        from personalization.events.models import Event

        self._known: dict[Any, npt.NDArray[np.bool_]] = {}
        columns = "id", "categories", "brand", "price", "stock", "is_hidden"
        self.items = list(Item.objects.order_by("id").values(*columns))
        self.ids = np.array([row["id"] for row in self.items])
        last = [row["categories"][-1] for row in self.items]
        self.category = np.unique(last, return_inverse=True)[1]
        pairs = Event.objects.filter(name="Order Line").order_by().values_list("customer_id", "item_id")
        self.bought = np.unique(self._keys(*np.array(list(pairs.iterator(chunk_size=50_000))).T))

    def leaks(
        self, lists: Mapping[int, Sequence[Any]], rules: Any, k: int, left_out: Mapping[int, Sequence[int]]
    ) -> int:
        """Entries that break a rule, entries too many, and lists that are empty though an item was left."""
        customers = np.array(list(lists))
        lengths = np.array([len(found) for found in lists.values()])
        shown = np.array([one.item_id for found in lists.values() for one in found], dtype=np.int64)
        at = np.minimum(np.searchsorted(self.ids, shown), len(self.ids) - 1)
        row = np.repeat(np.arange(len(customers)), lengths)
        barred = self._barred(lists, left_out)
        wrong = (self.ids[at] != shown) | ~self._fit(rules)[at]
        keys = self._keys(customers[row], shown)
        wrong |= _among(keys, barred)
        if rules.bought != "allow":
            wrong |= _among(keys, self.bought) != (rules.bought == "only")
        per_category = np.unique(row * (self.category.max() + 1) + self.category[at], return_counts=True)[1]
        return int(
            wrong.sum()
            + len(keys) - len(np.unique(keys))
            + np.maximum(lengths - k, 0).sum()
            + np.maximum(per_category - (rules.max_per_category or k), 0).sum()
            + sum(self._has_any(customer, rules, barred) for customer in customers[lengths == 0].tolist())
        )  # fmt: skip

    def _fit(self, rules: Any) -> npt.NDArray[np.bool_]:
        """Which items anybody may see, found once for each set of rules."""
        if rules not in self._known:
            self._known[rules] = np.array([self._fits(row, rules) for row in self.items])
        return self._known[rules]

    def _fits(self, row: Mapping[str, Any], rules: Any) -> bool:
        return (
            not row["is_hidden"]
            and row["stock"] > 0
            and row["id"] not in rules.not_items
            and (not rules.categories or bool({*rules.categories} & {*row["categories"]}))
            and not {*rules.not_categories} & {*row["categories"]}
            and (not rules.brands or row["brand"] in rules.brands)
            and (rules.price_min is None or row["price"] >= rules.price_min)
            and (rules.price_max is None or row["price"] <= rules.price_max)
        )

    def _barred(self, lists: Mapping[int, Any], left_out: Mapping[int, Sequence[int]]) -> Ints:
        pairs = [(customer, item) for customer in lists for item in left_out.get(customer, ())]
        return np.unique(self._keys(*np.array(pairs, dtype=np.int64).reshape(-1, 2).T))

    def _has_any(self, customer: int, rules: Any, barred: Ints) -> bool:
        keys = self._keys(np.array(customer), self.ids)
        fits = self._fit(rules) & ~_among(keys, barred)
        if rules.bought != "allow":
            fits &= _among(keys, self.bought) == (rules.bought == "only")
        return bool(fits.any())

    def _keys(self, customers: Ints, items: Ints) -> Ints:
        return customers * (self.ids.max() + 1) + items


def _among(keys: Ints, known: Ints) -> npt.NDArray[np.bool_]:
    """Which are in `known`, ascending."""
    if not len(known):
        return np.zeros(len(keys), dtype=np.bool_)
    return known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
