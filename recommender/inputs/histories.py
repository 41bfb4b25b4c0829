"""What customers did, for the lists of many at once: columns, one entry per event."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recommender.inputs.event_columns import (
    HISTORIES_QUERY,
    HISTORY_QUERY,
    PAIR,
    RATED_HISTORY_QUERY,
    copy_out,
    select_out,
)
from recommender.inputs.interactions import BOUGHT_EVENTS, RATED_EVENT
from recommender.inputs.moment import Moment

Ints = npt.NDArray[np.int64]
FEW_CUSTOMERS = 4


@dataclass(frozen=True)
class Histories:
    """`customers` (ids) name the rows. Event e is of row users[e] on item (id) items[e], at times[e] seconds,
    and weighs weights[e]: undamped, or the rating where `are_ratings`. What was bought is listed beside, by
    row and item id.
    """

    customers: Ints
    users: Ints
    items: Ints
    weights: npt.NDArray[np.float64]
    times: Ints
    bought_users: Ints
    bought_items: Ints
    are_ratings: bool = False

    @classmethod
    def empty(cls, customer_ids: Collection[int], *, are_ratings: bool = False) -> "Histories":
        none = np.zeros(0, dtype=np.int64)
        customers = np.fromiter(customer_ids, dtype=np.int64, count=len(customer_ids))
        return cls(customers, none, none, np.zeros(0), none, none, none, are_ratings)

    def at(self, moment: Moment, *, weight: float) -> "Histories":
        """With what everybody is busy with at that moment, each item as one more event of that weight."""
        now, n = moment.items, len(self.customers)
        if not now:
            return self
        return replace(
            self,
            users=np.concatenate([self.users, np.repeat(np.arange(n), len(now))]),
            items=np.concatenate([self.items, np.tile(np.array(now, dtype=np.int64), n)]),
            weights=np.concatenate([self.weights, np.full(n * len(now), weight)]),
            # One second apart, the current item last, so that models of sequences see the order.
            times=np.concatenate([self.times, np.tile(moment.seconds + 1 - np.arange(len(now), 0, -1), n)]),
        )


def load_histories(
    customer_ids: Collection[int], *, event_weights: Mapping[str, float], of_ratings: bool = False
) -> Histories:
    """Every event up to now, in one query; with `of_ratings` in two: what was rated, and how, is then the
    history, and counts as bought.
    """
    found = Histories.empty(dict.fromkeys(customer_ids), are_ratings=of_ratings)
    if not len(found.customers):
        return found
    order = np.argsort(found.customers, kind="stable")
    ordered = found.customers[order]
    asked = {"customers": ordered.tolist()}
    names = [*event_weights, *(name for name in BOUGHT_EVENTS if name not in event_weights)]
    is_few = len(ordered) <= FEW_CUSTOMERS
    read = select_out if is_few else copy_out
    query = HISTORY_QUERY if is_few else HISTORIES_QUERY
    events = read(query, {**PAIR, "event": ">i8"}, names=names, **asked)
    users = order[np.searchsorted(ordered, events["customer"])]
    is_bought = np.array([False, *(name in BOUGHT_EVENTS for name in names)])[events["event"]]
    bought_users, bought_items = users[is_bought], events["item"][is_bought]
    if of_ratings:
        events = read(RATED_HISTORY_QUERY, {**PAIR, "rating": ">f8"}, names=[RATED_EVENT], **asked)
        users, weights = order[np.searchsorted(ordered, events["customer"])], events["rating"]
        bought_users = np.concatenate([bought_users, users])
        bought_items = np.concatenate([bought_items, events["item"]])
    else:
        weights = np.array([0.0, *(event_weights.get(name, 0.0) for name in names)])[events["event"]]
    counts = (weights > 0) | of_ratings
    return replace(
        found,
        users=users[counts], items=events["item"][counts], weights=weights[counts],
        times=events["at"][counts],
        bought_users=bought_users, bought_items=bought_items,
    )  # fmt: skip
