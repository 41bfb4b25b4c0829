"""Twelve months of looking, adding, buying and rating, drawn from a World. Pure numpy.

Sessions follow the shop's seasons and weekdays and the customer's own hour of the day and device; what is
looked at follows taste and season; what is bought follows liking, device and keenness.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from personalization.demo import goods
from personalization.demo.world import Bools, Floats, Ints, World

YEAR_DAYS = 365
LAPSED_DAYS = 100  # the lapsed group was last seen at least this long ago
DAYPART_HOURS = ((7.5, 1.2), (12.5, 1.0), (20.0, 1.6), (23.5, 1.2))  # mean and spread in local hours
WEEKDAY = np.array([0.95, 0.9, 0.9, 0.95, 1.0, 1.15, 1.25])
DEVICE_BUYS = np.array([0.85, 1.25, 1.05])
VIEWS_ABOVE_ONE = 1.5
ADD_RATE = 0.24
BUY_RATE = 0.34
RATE_SHARE = 0.18
DAY = 86_400.0


class Kind(IntEnum):
    VIEWED = 0
    ADDED = 1
    ORDERED = 2
    LINE = 3
    RATED = 4


@dataclass(frozen=True)
class Behavior:
    """One row per event, by time. `seconds` count from one year before now; `item` is -1 for an order;
    `order` numbers an order and its lines, else -1; `amount` is a quantity (line) or a rating."""

    kind: Ints
    customer: Ints
    item: Ints
    seconds: Floats
    order: Ints
    amount: Ints

    def __len__(self) -> int:
        return len(self.kind)


def simulate_year(world: World, *, first_weekday: int = 0, first_day_of_year: int = 0) -> Behavior:
    """The year before now. `first_weekday` (Monday 0) and `first_day_of_year` say on which day it begins."""
    rng = np.random.default_rng([world.seed, 3])
    day = (first_day_of_year + np.arange(YEAR_DAYS)) % 365
    month = np.minimum(day * 12 // 365, 11)
    season = np.array([department.season for department in goods.DEPARTMENTS])
    customer, start = _sessions(rng, world, season.mean(axis=0)[month], first_weekday)
    views = 1 + rng.poisson(VIEWS_ABOVE_ONE, len(customer))
    session = np.repeat(np.arange(len(customer)), views)
    who = customer[session]
    item = draw_items(world, who, rng.random(len(who)))
    interest = season[world.items.department[item], month[(start[session] // DAY).astype(int)]]
    kept = rng.random(len(who)) < interest / season.max()
    session, who, item = session[kept], who[kept], item[kept]
    step = np.arange(len(session)) - np.searchsorted(session, session)
    at = start[session] + 75.0 * step + rng.random(len(session)) * 60
    added = rng.random(len(session)) < ADD_RATE * (0.35 + 1.3 * world.liking[who, item] ** 2)
    bought = _bought_sessions(rng, world, customer)[session] & added
    parts = [
        _events(Kind.VIEWED, who, item, at),
        _events(Kind.ADDED, who[added], item[added], at[added] + 15),
        *_orders(rng, world, session[bought], who[bought], item[bought], at[bought]),
    ]
    return _sorted(parts)


def draw_items(world: World, customer: Ints, uniform: Floats) -> Ints:
    """For each (customer, uniform in [0, 1)) the item that customer's next look falls on."""
    cumulative = np.cumsum(world.choice, axis=1)
    cumulative[:, -1] = 1.0
    flat = (cumulative + np.arange(len(cumulative))[:, None]).ravel()
    position = np.searchsorted(flat, customer + uniform, side="right")
    return np.minimum(position - customer * cumulative.shape[1], cumulative.shape[1] - 1)


def buying_chance(world: World) -> Floats:
    """Per customer: the chance that a session in which something was added ends in an order."""
    people_ = world.customers
    return np.minimum(BUY_RATE * DEVICE_BUYS[people_.device] * people_.keenness, 0.95)


def _sessions(
    rng: np.random.Generator, world: World, season: Floats, first_weekday: int
) -> tuple[Ints, Floats]:
    """Customer and start (seconds) of each session, by time within the year the customer was there."""
    people_ = world.customers
    customer = np.repeat(np.arange(len(people_)), rng.poisson(people_.sessions_per_year))
    weights = season * WEEKDAY[(first_weekday + np.arange(YEAR_DAYS)) % 7]
    day = rng.choice(YEAR_DAYS, len(customer), p=weights / weights.sum())
    mean, spread = np.array(DAYPART_HOURS)[people_.daypart[customer]].T
    offset = np.array([place.utc_offset for place in people_.place])[customer]
    start = day * DAY + 3600.0 * (rng.normal(mean, spread) - offset)
    return _present(world, customer, start)


def _present(world: World, customer: Ints, start: Floats) -> tuple[Ints, Floats]:
    people_ = world.customers
    joined = (YEAR_DAYS - people_.joined_days[customer]) * DAY
    end = np.where(people_.lapsed[customer], (YEAR_DAYS - LAPSED_DAYS) * DAY, YEAR_DAYS * DAY - 3600.0)
    there = (start >= np.maximum(joined, 0)) & (start < end)
    customer, start = customer[there], start[there]
    order = np.argsort(start, kind="stable")
    return customer[order], start[order]


def _bought_sessions(rng: np.random.Generator, world: World, customer: Ints) -> Bools:
    return rng.random(len(customer)) < buying_chance(world)[customer]


def _orders(
    rng: np.random.Generator, world: World, session: Ints, who: Ints, item: Ints, at: Floats
) -> list[Behavior]:
    """One order per session that bought, a line per item of it, and now and then a rating some days later."""
    sessions, first, order = np.unique(session, return_index=True, return_inverse=True)
    ordered_at = np.full(len(sessions), 0.0)
    np.maximum.at(ordered_at, order, at)
    ordered_at += 90
    quantity = 1 + (rng.random(len(item)) < 0.12)
    lines = _events(Kind.LINE, who, item, ordered_at[order], order, quantity)
    orders = _events(Kind.ORDERED, who[first], np.full(len(first), -1), ordered_at, np.arange(len(first)))
    rated = rng.random(len(item)) < RATE_SHARE
    stars = np.clip(
        np.round(0.4 + 4.2 * world.liking[who, item] ** 1.5 + rng.normal(0, 0.9, len(item))), 1, 5
    )
    rated_at = ordered_at[order] + rng.uniform(3, 14, len(item)) * DAY
    rated &= rated_at < YEAR_DAYS * DAY
    return [
        orders,
        lines,
        _events(Kind.RATED, who[rated], item[rated], rated_at[rated], None, stars[rated].astype(int)),
    ]


def _events(
    kind: Kind,
    customer: Ints,
    item: Ints,
    seconds: Floats,
    order: Ints | None = None,
    amount: Ints | None = None,
) -> Behavior:
    n = len(customer)
    return Behavior(
        np.full(n, int(kind)), customer, item, seconds,
        np.full(n, -1) if order is None else order,
        np.zeros(n, dtype=int) if amount is None else amount,
    )  # fmt: skip


def _sorted(parts: list[Behavior]) -> Behavior:
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("kind", "customer", "item", "seconds", "order", "amount")
    }
    by_time = np.lexsort((columns["kind"], columns["seconds"]))
    return Behavior(**{name: column[by_time] for name, column in columns.items()})
