"""What a message really does to each customer: potential outcomes, known because the shop is simulated.

Without a message a customer buys at a rate of their own. A message adds a chain: opened, clicked, then an
extra order; how good the items in it are for this customer decides the click and the order. Nothing else
about the message matters, so the true effect of any variant is known for everyone.
"""

from dataclasses import dataclass

import numpy as np

from personalization.demo.behavior import ADD_RATE, DEVICE_BUYS, buying_chance
from personalization.demo.world import Bools, Floats, Ints, World

HORIZON_DAYS = 14
EXTRA_ITEMS = 0.8  # an order holds one item plus Poisson(0.8) more
LAPSED_ACTIVITY = 0.1
UNSUBSCRIBE_SHARE = 0.006
OPEN_LOGIT = -0.25
NAME_IN_SUBJECT = 0.35
OWN_LANGUAGE = 0.30


@dataclass(frozen=True)
class Messages:
    """What each customer was shown. `items` (customers, k) are item rows, -1 for none; the two flags say
    whether the subject carries the customer's name and whether the text is in the customer's language."""

    items: Ints
    named: Bools
    own_language: Bools


@dataclass(frozen=True)
class Outcomes:
    """Per customer within HORIZON_DAYS: chances in [0, 1], money in EUR. No chance is conditional.

    `base` is the chance of an order that comes anyway, `extra` of one the message caused; `buy` of at least
    one of both; `value` the expected money from both."""

    open: Floats
    click: Floats
    base: Floats
    extra: Floats
    buy: Floats
    value: Floats
    unsubscribe: Floats


def without_message(world: World) -> Outcomes:
    nothing = np.zeros(len(world.customers))
    base = base_chance(world)
    value = base * order_value(world)
    return Outcomes(nothing, nothing, base, nothing, base, value, nothing)


def with_message(world: World, messages: Messages) -> Outcomes:
    appeal = shown_appeal(world, messages.items)
    opened = open_chance(world, messages)
    clicked = opened * click_chance(appeal)
    extra = clicked * conversion_chance(world, appeal)
    base = base_chance(world)
    extra_value = first_item_value(world, messages.items) + EXTRA_ITEMS * mean_price(world)
    return Outcomes(
        open=opened, click=clicked, base=base, extra=extra,
        buy=1 - (1 - base) * (1 - extra),
        value=base * order_value(world) + extra * extra_value,
        unsubscribe=opened * UNSUBSCRIBE_SHARE,
    )  # fmt: skip


def base_chance(world: World) -> Floats:
    """An order within the horizon without any message: sessions, something added, bought."""
    people_ = world.customers
    sessions = people_.sessions_per_year * HORIZON_DAYS / 365
    sessions = np.where(people_.lapsed, sessions * LAPSED_ACTIVITY, sessions)
    return 1 - np.exp(-sessions * 2 * ADD_RATE * buying_chance(world))


def open_chance(world: World, messages: Messages) -> Floats:
    people_ = world.customers
    mood = np.log(people_.keenness) + np.where(people_.lapsed, -0.5, 0.0)
    logit = OPEN_LOGIT + mood + NAME_IN_SUBJECT * messages.named + OWN_LANGUAGE * messages.own_language
    return _logistic(logit)


def click_chance(appeal: Floats) -> Floats:
    """Given an open."""
    return _logistic(-2.6 + 2.6 * appeal)


def conversion_chance(world: World, appeal: Floats) -> Floats:
    """An extra order, given a click."""
    return np.minimum((0.08 + 0.34 * appeal) * DEVICE_BUYS[world.customers.device], 0.9)


def shown_appeal(world: World, items: Ints) -> Floats:
    """Mean liking (0 to 1) of the items shown, 0.3 for a message that shows none."""
    shown = items >= 0
    liking = np.take_along_axis(world.liking, np.where(shown, items, 0), axis=1) * shown
    count = shown.sum(axis=1)
    return np.where(count > 0, liking.sum(axis=1) / np.maximum(count, 1), 0.3)


def click_weights(world: World, items: Ints, *, rows: Ints | None = None) -> Floats:
    """(customers, k): the chance that a click falls on each shown item; all 0 for a message without items.

    `rows` chooses the customers that the rows of `items` belong to; None: all of them.
    """
    shown = items >= 0
    liking = world.liking if rows is None else world.liking[rows]
    weights = (np.take_along_axis(liking, np.where(shown, items, 0), axis=1) ** 2 + 1e-9) * shown
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


def first_item_value(world: World, items: Ints) -> Floats:
    """Expected price of the clicked item; without items, of any the customer would choose."""
    price = np.where(items >= 0, world.items.price[items], 0.0)
    expected = (click_weights(world, items) * price).sum(axis=1)
    return np.where((items >= 0).any(axis=1), expected, mean_price(world))


def mean_price(world: World) -> Floats:
    """Per customer, of the next item chosen."""
    return world.choice @ world.items.price


def order_value(world: World) -> Floats:
    """Expected money of an order that comes anyway."""
    return (1 + EXTRA_ITEMS) * mean_price(world)


def best_items(world: World, *, k: int = 6) -> Ints:
    """(customers, k): what a perfect recommender would show."""
    return np.argsort(-world.liking, axis=1)[:, :k]


def bestsellers(world: World, *, k: int = 6) -> Ints:
    """(customers, k): the same for everyone."""
    top = np.argsort(-world.choice.sum(axis=0))[:k]
    return np.tile(top, (len(world.customers), 1))


def _logistic(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))
