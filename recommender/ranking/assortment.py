"""Items as arrays, and what the rules of a list let through of them."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
import numpy.typing as npt

from recommender.ranking.rules import Rules

Ints = npt.NDArray[np.int64]
NO_PRICE = -1
MOST_RULES = 32


@dataclass(frozen=True, eq=False)
class Assortment:
    """Items that may be shown: not hidden, and in stock where stock is tracked. Entry i of every array is
    about item_ids[i] (ascending).

    `category` int32: the narrowest one, −1 for none. `tags`, by `tag_starts`, are all categories and the
    brand, ascending. `cents`: the price, −1 for none. `codes` names categories, `brand_codes` brands.
    """

    item_ids: Ints
    category: npt.NDArray[np.int32]
    tag_starts: Ints
    tags: npt.NDArray[np.int32]
    cents: Ints
    codes: dict[str, int]
    brand_codes: dict[str, int]
    _allowed: dict[Rules, npt.NDArray[np.bool_]] = field(init=False, repr=False, default_factory=dict)

    def places(self, item_ids: npt.ArrayLike) -> Ints:
        """Place of each item; −1 where it may not be shown."""
        wanted = np.asarray(item_ids, dtype=np.int64)
        if not len(self.item_ids) or not len(wanted):
            return np.full(len(wanted), -1)
        at = np.minimum(np.searchsorted(self.item_ids, wanted), len(self.item_ids) - 1)
        return np.where(self.item_ids[at] == wanted, at, -1)

    def allowed(self, rules: Rules) -> npt.NDArray[np.bool_]:
        """Which items the rules let anybody see, as far as what somebody bought does not matter. Not to be
        written to: the next who ask get the same.
        """
        found = self._allowed.get(rules)
        if found is None:
            if len(self._allowed) >= MOST_RULES:
                self._allowed.clear()
            found = self._allowed[rules] = self._fitting(rules)
        return found

    def _fitting(self, rules: Rules) -> npt.NDArray[np.bool_]:
        fits = np.ones(len(self.item_ids), dtype=np.bool_)
        if rules.categories:
            fits &= self._has_any(self.codes, rules.categories)
        if rules.not_categories:
            fits &= ~self._has_any(self.codes, rules.not_categories)
        if rules.brands:
            fits &= self._has_any(self.brand_codes, rules.brands)
        if rules.price_min is not None:
            fits &= self.cents >= _cents(rules.price_min, ROUND_CEILING)
        if rules.price_max is not None:
            fits &= (self.cents <= _cents(rules.price_max, ROUND_FLOOR)) & (self.cents != NO_PRICE)
        if rules.price_min is not None:
            fits &= self.cents != NO_PRICE
        barred = self.places(rules.not_items)
        fits[barred[barred >= 0]] = False
        return fits

    def only(self, kept: npt.NDArray[np.bool_]) -> "Assortment":
        lengths = np.diff(self.tag_starts)
        return replace(
            self,
            item_ids=self.item_ids[kept], category=self.category[kept], cents=self.cents[kept],
            tag_starts=np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64),
            tags=self.tags[np.repeat(kept, lengths)],
        )  # fmt: skip

    def _has_any(self, codes: dict[str, int], names: Collection[str]) -> npt.NDArray[np.bool_]:
        wanted = [codes[name] for name in names if name in codes]
        found = np.zeros(len(self.item_ids), dtype=np.bool_)
        hits = np.flatnonzero(np.isin(self.tags, np.array(wanted, dtype=np.int32)))
        found[np.searchsorted(self.tag_starts, hits, side="right") - 1] = True
        return found


def assortment_of(rows: Iterable[tuple[int, str, str, int | None]]) -> Assortment:
    """From (item id, JSON list of the categories from broad to narrow, brand, cents), by ascending id."""
    codes: dict[str, int] = {}
    brand_codes: dict[str, int] = {}
    # Many items stand on the same shelf: each is taken apart once.
    shelves: dict[tuple[str, str], tuple[int, list[int]]] = {}
    ids, narrowest, cents, tags, lengths = [], [], [], [], []
    for item_id, categories, brand, price in rows:
        shelf = shelves.get((categories, brand))
        if shelf is None:
            names = json.loads(categories)
            own = [_code(codes, brand_codes, name) for name in names]
            last = own[-1] if own and names[-1] else -1
            branded = [_code(brand_codes, codes, brand)] if brand else []
            shelf = shelves[categories, brand] = last, sorted({*own, *branded})
        narrowest.append(shelf[0])
        tags.extend(shelf[1])
        lengths.append(len(shelf[1]))
        ids.append(item_id)
        cents.append(cents_of(price))
    return Assortment(
        np.array(ids, dtype=np.int64),
        np.array(narrowest, dtype=np.int32),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array(tags, dtype=np.int32),
        np.array(cents, dtype=np.int64),
        codes,
        brand_codes,
    )


def cents_of(price: int | None) -> int:
    return NO_PRICE if price is None else price


def _code(own: dict[str, int], others: dict[str, int], name: str) -> int:
    """Categories and brands are numbered together, so that one of each with the same name are two tags."""
    found = own.get(name)
    if found is None:
        found = own[name] = len(own) + len(others)
    return found


def _cents(price: Decimal, rounding: str) -> int:
    return int((price * 100).to_integral_value(rounding=rounding))
