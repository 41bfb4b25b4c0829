"""What is popular among customers who share a trait: for those of whom nothing else is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from personalization.customers.models import Customer
from recommender.inputs.event_columns import copy_out, select_out
from recommender.inputs.histories import FEW_CUSTOMERS
from recommender.inputs.interactions import EventLog
from recommender.inputs.moment import Moment

Ints = npt.NDArray[np.int64]
# A trait counts when so many customers share it: fewer say little, and might be recognized.
LEAST_CUSTOMERS = 30
MOST_VALUES = 60
MOST_ITEMS = 150
# As if so much weight of everybody's choices stood behind each value's own.
PRIOR_WEIGHT = 100.0
PLACES = ("city", "country")

_TRAITS = f"""
    FROM {Customer._meta.db_table} customer CROSS JOIN LATERAL (
        SELECT * FROM (VALUES ('country', customer.country), ('city', customer.city),
                              ('language', customer.language)) own(name, value)
        UNION ALL
        SELECT key, value #>> '{{}}' FROM jsonb_each(customer.traits)
        WHERE jsonb_typeof(value) IN ('string', 'boolean', 'number')
    ) trait
"""  # noqa: S608  (a constant)
SHARED_QUERY = f"""
    SELECT name, value {_TRAITS} WHERE value <> '' AND length(value) <= 100 AND length(name) <= 100
    GROUP BY name, value HAVING count(*) >= %s ORDER BY count(*) DESC, name, value LIMIT %s
"""
MEMBERS_QUERY = f"""
    SELECT customer.id::bigint, (shared.place - 1)::bigint {_TRAITS}
    JOIN unnest(%(traits)s::text[], %(values)s::text[]) WITH ORDINALITY shared(name, value, place)
      ON shared.name = trait.name AND shared.value = trait.value
    WHERE %(all)s OR customer.id = ANY(%(customers)s)
"""


def popular_by_trait(events: EventLog) -> list[dict[str, Any]]:
    """For each value that many customers share: trait, value, total weight, and its most popular items with
    their weights; at last the same of everybody, without a trait. Small enough for JSON.
    """
    with connection.cursor() as cursor:
        cursor.execute(SHARED_QUERY, [LEAST_CUSTOMERS, MOST_VALUES])
        shared = cursor.fetchall()
    if not shared or not len(events.log.users):
        return []
    customers, values = _members(shared, events.customer_ids, everybody=True)
    matrix = events.log.interactions().matrix
    weights = [matrix[np.unique(customers[values == at])].sum(axis=0) for at in range(len(shared))]
    found = [
        _entry(name, value, np.asarray(row).ravel(), events.item_ids)
        for (name, value), row in zip(shared, weights, strict=True)
    ]
    everybody = _entry("", "", np.asarray(matrix.sum(axis=0)).ravel(), events.item_ids)
    return [*(entry for entry in found if entry["weight"] > 0), everybody]


def _members(
    shared: Sequence[tuple[str, str]], customer_ids: Ints, *, everybody: bool = False
) -> tuple[Ints, Ints]:
    """Row of each customer (ascending ids) with each value it has; others are left out."""
    read = select_out if not everybody and len(customer_ids) <= FEW_CUSTOMERS else copy_out
    found = read(
        MEMBERS_QUERY,
        {"customer": ">i8", "value": ">i8"},
        traits=[name for name, _ in shared],
        values=[value for _, value in shared],
        customers=[] if everybody else customer_ids.tolist(),
        all=everybody,
    )
    at = np.minimum(np.searchsorted(customer_ids, found["customer"]), len(customer_ids) - 1)
    known = customer_ids[at] == found["customer"]
    return at[known], found["value"][known]


def _entry(name: str, value: str, weights: npt.NDArray[Any], item_ids: Ints) -> dict[str, Any]:
    best = np.argsort(-weights, kind="stable")[:MOST_ITEMS]
    best = best[weights[best] > 0]
    return {
        "trait": name, "value": value, "weight": float(weights.sum()),
        "items": item_ids[best].tolist(), "weights": [round(float(w), 3) for w in weights[best]],
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class PopularByTrait:
    """`gains` float32[values, items]: the logarithm of how much more popular an item (`item_ids`, ascending)
    is with each value than with everybody; `base` float32[items] the logarithm of its share with everybody.

    The score of an item is the base plus the gains of all values that somebody has: naive Bayes, each gain
    drawn to none while few choices stand behind it.
    """

    shared: list[tuple[str, str]]
    item_ids: Ints
    base: npt.NDArray[np.float32]
    gains: npt.NDArray[np.float32]

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, Any]]) -> "PopularByTrait | None":
        """From what `popular_by_trait` answered; None where no trait was shared."""
        if len(entries) < 2:
            return None
        item_ids = np.unique(np.concatenate([np.array(entry["items"], dtype=np.int64) for entry in entries]))
        weights = np.zeros((len(entries), len(item_ids)))
        for row, entry in enumerate(entries):
            weights[row, np.searchsorted(item_ids, entry["items"])] = entry["weights"]
        totals = np.array([entry["weight"] for entry in entries])[:, None]
        everybody = np.maximum(weights[-1], weights[:-1].max(axis=0)) / totals[-1]
        shares = (weights[:-1] + PRIOR_WEIGHT * everybody) / (totals[:-1] + PRIOR_WEIGHT)
        return cls(
            [(entry["trait"], entry["value"]) for entry in entries[:-1]],
            item_ids,
            np.log(everybody).astype(np.float32),
            np.log(shares / everybody).astype(np.float32),
        )

    def score(self, customer_ids: Ints, moment: Moment) -> tuple[npt.NDArray[np.float32], Ints]:
        """Scores float32[groups, items] of customers with the same traits, and the group of each customer;
        −1 for one who shares no trait with many. An id of 0 or less is a visitor: known by the place alone.
        """
        has = np.zeros((len(customer_ids), len(self.shared)), dtype=np.bool_)
        order = np.argsort(customer_ids, kind="stable")
        if len(customer_ids) and customer_ids.max() > 0:
            rows, values = _members(self.shared, customer_ids[order])
            has[order[rows], values] = True
        place = moment.place.casefold()
        for at, (name, value) in enumerate(self.shared):
            if place and name in PLACES and value.casefold() == place:
                has[:, at] = True
        kinds, group = np.unique(has, axis=0, return_inverse=True)
        scores = self.base + kinds.astype(np.float32) @ self.gains
        return scores, np.where(has.any(axis=1), group.ravel(), -1)
