"""What each customer buys again and again: own frequency, time since last, the item's typical interval."""

import numpy as np
import numpy.typing as npt

from recommender.algorithms._base import Arrays, Context, Recommender, Training, gettext_noop
from recommender.algorithms._interactions import Floats, Interactions

SECONDS_PER_DAY = 86_400.0
# Days between two purchases where the data hold no repeat at all: a guess that no ranking depends on.
USUAL_INTERVAL_DAYS = 30.0
# How many made-up repeats at the interval of all items stand behind each item's own.
ITEM_PRIOR = 20.0
# How many made-up purchases at the item's interval stand behind each customer's own.
OWN_PRIOR = 5.0

Doubles = npt.NDArray[np.float64]


class Repurchase(Recommender):
    """Score of an item the customer has: (n + loyalty × (m − 1)) / (1 + days since last / interval)^recency.

    n is how often this customer bought it, m how often its buyers do on average. `interval` is the days
    between two purchases, this customer's own, drawn to the item's typical one while there are few. An item
    the customer does not have scores `others` × its purchases per customer, so that a list goes on with what
    everybody buys. With timestamps n counts purchases, without it is the weight. `context={"now": seconds}`
    moves the moment that is asked for; the default is the end of the training data.

    Source: own; a smooth form of the buy-till-you-die idea of Fader, Hardie and Lee (2005). The defaults were
    chosen on weeks before those that the published figure is measured on.
    """

    name = "repurchase"
    title = gettext_noop("Buy again")
    needs_history = False
    repeats_by_nature = True
    search_space = {
        "loyalty": ("float", 0.0, 2.0),
        "recency": ("float", 0.1, 1.0),
        "others": ("float", 0.0, 0.5),
    }

    def __init__(self, *, loyalty: float = 0.75, recency: float = 0.5, others: float = 0.3) -> None:
        if loyalty < 0 or recency < 0 or others < 0:
            raise ValueError("loyalty, recency and others must not be negative")
        self.loyalty = loyalty
        self.recency = recency
        self.others = others

    def _learn(self, interactions: Interactions, training: Training) -> None:
        items, n_items = interactions.items, interactions.n_items
        bought = np.bincount(items, weights=_purchases(interactions), minlength=n_items)
        buyers = np.bincount(items, minlength=n_items)
        repeats = np.bincount(items, weights=_repeats(interactions), minlength=n_items)
        days = np.bincount(items, weights=_span_days(interactions), minlength=n_items)
        usual = days.sum() / repeats.sum() if days.sum() > 0 else USUAL_INTERVAL_DAYS
        customers = max(int((np.diff(interactions.indptr) > 0).sum()), 1)
        self._interval = ((days + ITEM_PRIOR * usual) / (repeats + ITEM_PRIOR)).astype(np.float32)
        self._per_buyer = (bought / np.maximum(buyers, 1)).astype(np.float32)
        self._per_customer = (bought / customers).astype(np.float32)
        training.progress(1.0)

    def _score(self, histories: Interactions) -> Floats:
        return self._score_at(histories, np.full(histories.n_users, float(self.trained_until)))

    def _score_in(self, histories: Interactions, context: Context) -> Floats:
        if "now" not in context:
            return self._score(histories)
        return self._score_at(histories, np.asarray(context["now"], dtype=np.float64))

    def _score_at(self, histories: Interactions, now: Doubles) -> Floats:
        per_customer = np.where(self.item_weights > 0, self._per_customer, -np.inf)
        rest = per_customer * self.others if self.others else np.full(self.n_items, -np.inf)
        scores = np.tile(rest.astype(np.float32), (histories.n_users, 1))
        rows = np.repeat(np.arange(histories.n_users), np.diff(histories.indptr))
        expected = self._expected(histories, now[rows]).astype(np.float32)
        scores[rows, histories.items] = np.maximum(expected, scores[rows, histories.items])
        return scores

    def _expected(self, histories: Interactions, now: Doubles) -> Doubles:
        """The personal part of each pair of the histories."""
        items = histories.items
        frequency = _purchases(histories) + self.loyalty * np.maximum(self._per_buyer[items] - 1, 0)
        if histories.timestamps is None:
            return np.asarray(frequency)
        known = _span_days(histories) + OWN_PRIOR * self._interval[items]
        interval = known / (_repeats(histories) + OWN_PRIOR)
        since = np.maximum(now - histories.timestamps, 0) / SECONDS_PER_DAY
        return np.asarray(frequency / (1 + since / np.maximum(interval, 1e-6)) ** self.recency)

    def _arrays(self) -> Arrays:
        return {
            "interval": self._interval, "per_buyer": self._per_buyer, "per_customer": self._per_customer
        }  # fmt: skip

    def _restore(self, arrays: Arrays) -> None:
        self._interval, self._per_buyer, self._per_customer = (
            arrays[name] for name in ("interval", "per_buyer", "per_customer")
        )
        for array in (self._interval, self._per_buyer, self._per_customer):
            if array.shape != (self.n_items,):
                raise ValueError(f"a value per item has shape {array.shape}")


def _purchases(interactions: Interactions) -> Doubles:
    """How often each pair happened. Where events have no time, their weights stand in."""
    timed = interactions.timestamps is not None and interactions.counts is not None
    return np.asarray(interactions.counts if timed else interactions.weights, dtype=np.float64)


def _repeats(interactions: Interactions) -> Doubles:
    """How many intervals lie between the events of each pair."""
    if interactions.counts is None:
        return np.zeros(len(interactions.items))
    return np.asarray(interactions.counts - 1, dtype=np.float64)


def _span_days(interactions: Interactions) -> Doubles:
    """Days from the first to the last event of each pair."""
    if interactions.timestamps is None or interactions.first_timestamps is None:
        return np.zeros(len(interactions.items))
    return np.asarray((interactions.timestamps - interactions.first_timestamps) / SECONDS_PER_DAY)
