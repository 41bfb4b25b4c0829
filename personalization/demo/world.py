"""The simulated shop: customers with latent tastes, items with hidden features. Pure numpy, no database.

The same seed and sizes always give the same world. What is latent here (taste, affinity, rates, groups) is
the truth that segments, recommendations and experiments are asked to find; none of it is ever loaded as data.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from personalization.demo import goods, people

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SEED = 20_260_101
N_CUSTOMERS = 5_000
N_ITEMS = 400
DIMENSIONS = 12
SHARPNESS = 0.62  # how decided tastes are: higher means fewer items share a customer's attention
CONSENT_SHARE = 0.85
LAPSED_SHARE = 0.05
NEVER_CAME_DAYS = 900  # customers signed up within this many days before now
PREFIX = "demo-"


@dataclass(frozen=True)
class Items:
    """One row per item. `department`, `category`, `thing`, `finish` index into goods.DEPARTMENTS."""

    external_id: list[str]
    department: Ints
    category: Ints
    thing: Ints
    finish: Ints
    brand: Ints
    price: Floats
    stock: Ints
    features: Floats
    popularity: Floats

    def __len__(self) -> int:
        return len(self.external_id)


@dataclass(frozen=True)
class Customers:
    """One row per customer. Rates are sessions per year; `joined_days` counts back from now."""

    external_id: list[str]
    email: list[str]
    first_name: list[str]
    last_name: list[str]
    language: list[str]
    place: list[people.Place]
    consented: Bools
    device: Ints
    channel: Ints
    tier: Ints
    joined_days: Floats
    taste: Floats
    sessions_per_year: Floats
    daypart: Ints
    keenness: Floats
    lapsed: Bools

    def __len__(self) -> int:
        return len(self.external_id)


@dataclass(frozen=True)
class World:
    seed: int
    customers: Customers
    items: Items

    @cached_property
    def affinity(self) -> Floats:
        """(customers, items): utility of each item for each customer."""
        utility = self.customers.taste @ self.items.features.T
        return SHARPNESS * utility + self.items.popularity

    @cached_property
    def choice(self) -> Floats:
        """(customers, items): chance that a customer's next look falls on the item; rows add up to 1."""
        weights = np.exp(self.affinity - self.affinity.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)

    @cached_property
    def liking(self) -> Floats:
        """(customers, items): rank of the item by taste alone, without popularity; 0 least, 1 best."""
        taste = self.customers.taste @ self.items.features.T
        ranks = taste.argsort(axis=1).argsort(axis=1)
        return ranks / (len(self.items) - 1)


def build_world(*, seed: int = SEED, n_customers: int = N_CUSTOMERS, n_items: int = N_ITEMS) -> World:
    """Raises ValueError when more items are asked for than goods.py can name."""
    rng = np.random.default_rng([seed, 1])
    items = _build_items(rng, n_items)
    customers = _build_customers(np.random.default_rng([seed, 2]), n_customers, items)
    return World(seed, customers, items)


def _build_items(rng: np.random.Generator, n: int) -> Items:
    every = np.array(
        [
            (d, c, t, f)
            for d, department in enumerate(goods.DEPARTMENTS)
            for c, category in enumerate(department.categories)
            for t in range(len(category.things))
            for f in range(len(department.finishes))
        ]
    )
    if n > len(every):
        raise ValueError(f"at most {len(every)} items can be named")
    d, c, t, f = every[np.sort(rng.choice(len(every), n, replace=False))].T
    departments = rng.normal(size=(len(goods.DEPARTMENTS), DIMENSIONS))
    categories = rng.normal(size=(len(goods.DEPARTMENTS), 3, DIMENSIONS))
    finishes = rng.normal(size=(len(goods.DEPARTMENTS), 5, DIMENSIONS))
    features = 0.75 * departments[d] + 0.75 * categories[d, c] + 0.4 * finishes[d, f]
    features += 0.3 * rng.normal(size=(n, DIMENSIONS))
    usual = np.array(
        [goods.DEPARTMENTS[i].categories[j].things[k][1] for i, j, k in zip(d, c, t, strict=True)]
    )
    price = np.maximum(np.round(usual * rng.lognormal(0, 0.18, n)), 4) - 0.05
    stock = rng.integers(5, 400, n)
    stock[rng.random(n) < 0.03] = 0
    return Items(
        external_id=[f"{PREFIX}i{i + 1:03d}" for i in range(n)],
        department=d, category=c, thing=t, finish=f,
        brand=rng.integers(0, len(goods.BRANDS), n),
        price=price, stock=stock, features=features,
        popularity=rng.normal(0, 0.45, n),
    )  # fmt: skip


def _build_customers(rng: np.random.Generator, n: int, items: Items) -> Customers:
    tongue = rng.choice(len(people.TONGUES), n, p=[tongue.share for tongue in people.TONGUES])
    first, last, email, place = _name_people(rng, tongue)
    # Everyone loves two kinds of things a lot, and has a character of their own on top.
    loves = items.features[rng.integers(0, len(items), (2, n))]
    taste = 0.75 * loves[0] + 0.45 * loves[1] + 0.35 * rng.normal(size=(n, DIMENSIONS))
    taste /= np.sqrt((taste**2).mean(axis=1, keepdims=True))
    lapsed = rng.random(n) < LAPSED_SHARE
    sessions = rng.gamma(1.6, 14.0, n) + 1.0
    sessions[lapsed] = sessions[lapsed] + 30.0
    joined = rng.random(n) * NEVER_CAME_DAYS
    joined[lapsed] = 365 + joined[lapsed] / 2
    tier = np.searchsorted(np.quantile(sessions, [0.7, 0.93]), sessions + rng.normal(0, 4, n))
    return Customers(
        external_id=[f"{PREFIX}c{i + 1:05d}" for i in range(n)],
        email=_spoil(rng, email), first_name=first, last_name=last,
        language=[people.TONGUES[i].code for i in tongue], place=place,
        consented=rng.random(n) < CONSENT_SHARE,
        device=rng.choice(len(people.DEVICES), n, p=people.DEVICE_SHARES),
        channel=rng.integers(0, len(people.CHANNELS), n), tier=tier,
        joined_days=joined, taste=taste, sessions_per_year=sessions,
        daypart=rng.choice(4, n, p=[0.2, 0.2, 0.45, 0.15]),
        keenness=rng.lognormal(0, 0.35, n), lapsed=lapsed,
    )  # fmt: skip


def _name_people(
    rng: np.random.Generator, tongue: Ints
) -> tuple[list[str], list[str], list[str], list[people.Place]]:
    """Names, unique addresses and a place for each customer, fitting the language."""
    picks = rng.random((3, len(tongue)))
    domain = rng.integers(0, len(people.DOMAINS), len(tongue))
    first, last, email, place = [], [], [], []
    for row, index in enumerate(tongue):
        speech = people.TONGUES[index]
        given = speech.given[int(picks[0, row] * len(speech.given))]
        family = speech.family[int(picks[1, row] * len(speech.family))]
        shares = np.cumsum([p.share for p in speech.places])
        place.append(speech.places[int(np.searchsorted(shares, picks[2, row] * shares[-1], side="right"))])
        first.append(given[0])
        last.append(family[0])
        email.append(f"{given[1]}.{family[1]}{row + 1}@{people.DOMAINS[domain[row]]}")
    return first, last, email, place


def _spoil(rng: np.random.Generator, email: list[str]) -> list[str]:
    """Real lists are never clean: some addresses are missing, malformed or shared by two customers."""
    spoiled = list(email)
    n = len(email)
    rows = iter(rng.permutation(n))
    for _ in range(n // 200):
        spoiled[next(rows)] = ""
    for broken in ("not an address", "name@", "@example.com", "two@@example.org", "dots..dots@example.net"):
        for _ in range(n // 1250):
            spoiled[next(rows)] = broken
    for _ in range(n // 400):
        spoiled[next(rows)] = email[next(rows)]
    return spoiled
