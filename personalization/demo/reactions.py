"""What each customer does after a launch, and when: drawn from the truth, 14 days within some 75 seconds.

Pure: letters and audiences in, planned actions out. Everything is a function of (seed, run, customer), so a
restarted simulator plans the same actions, with the same order ids.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from personalization.demo import truth
from personalization.demo.goods import DEPARTMENTS
from personalization.demo.reading import PICTURE, Letter
from personalization.demo.world import Floats, Ints, World

HORIZON_SECONDS = 75.0
OPEN_MEAN_SECONDS = 16.0
LATEST_OPEN_SECONDS = 60.0
Kind = Literal["open", "click", "order", "unsubscribe"]


@dataclass(frozen=True)
class Action:
    """One thing one customer does. `url` for open, click and unsubscribe; `items` (rows) and `name` (unique
    within run and customer) for an order. A click carries the item behind the link, if any."""

    due_at: datetime
    kind: Kind
    run: int
    customer: int
    url: str = ""
    items: tuple[int, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Received:
    letter: Letter
    run: int
    customer: int
    at: datetime


def plan_base(world: World, *, run: int, audience: Iterable[int], launched_at: datetime) -> list[Action]:
    """Orders that come anyway, of everyone in the audience, mailed or not."""
    draws = _draws(world, run, part=1, columns=2)
    happens = draws[:, 0] < truth.base_chance(world)
    rows = sorted(row for row in audience if happens[row])
    return [
        Action(
            launched_at + timedelta(seconds=float(draws[row, 1]) * HORIZON_SECONDS),
            "order", run, row, items=_basket(world, run, row, part=2), name="base",
        )
        for row in rows
    ]  # fmt: skip


def plan_letters(world: World, received: list[Received]) -> list[Action]:
    """Opens, clicks, unsubscribes and the orders that a message causes."""
    if not received:
        return []
    names = item_names(world)
    links = [shown_links(one.letter, names) for one in received]
    outcomes = truth.with_message(world, _messages(world, received, links))
    draws = {run: _draws(world, run, part=3, columns=8) for run in {one.run for one in received}}
    actions: list[Action] = []
    for one, shown in zip(received, links, strict=True):
        actions += _follow(world, one, shown, outcomes, draws[one.run][one.customer])
    return actions


def _follow(
    world: World, one: Received, shown: Mapping[int, str], outcomes: truth.Outcomes, u: Floats
) -> list[Action]:
    """The chain of one customer; `u` are eight numbers in [0, 1)."""
    i = one.customer
    chance = float(outcomes.open[i])
    if u[0] >= chance or not one.letter.pixel:
        return []
    opened_at = one.at + timedelta(
        seconds=min(1 - OPEN_MEAN_SECONDS * float(np.log1p(-u[4])), LATEST_OPEN_SECONDS)
    )
    done = [Action(opened_at, "open", one.run, i, url=one.letter.pixel)]
    if u[3] < outcomes.unsubscribe[i] / chance and one.letter.unsubscribe:
        at = opened_at + timedelta(seconds=1.5)
        return [*done, Action(at, "unsubscribe", one.run, i, url=one.letter.unsubscribe)]
    if u[1] >= outcomes.click[i] / chance or not one.letter.links:
        return done
    item, url = _choose(world, i, shown, one.letter, float(u[5]))
    clicked_at = opened_at + timedelta(seconds=1 + 3 * float(u[6]))
    done.append(Action(clicked_at, "click", one.run, i, url=url, items=(item,) if item >= 0 else ()))
    if u[2] < outcomes.extra[i] / outcomes.click[i]:
        basket = _basket(world, one.run, i, part=4, first=item)
        at = clicked_at + timedelta(seconds=2 + 6 * float(u[7]))
        done.append(Action(at, "order", one.run, i, items=basket, name="extra"))
    return done


def _choose(
    world: World, customer: int, shown: Mapping[int, str], letter: Letter, u: float
) -> tuple[int, str]:
    if not shown:
        return -1, letter.links[0][1]
    weights = truth.click_weights(world, np.array([list(shown)]), rows=np.array([customer]))[0]
    item = list(shown)[min(int(np.searchsorted(np.cumsum(weights), u)), len(shown) - 1)]
    return item, shown[item]


def _basket(world: World, run: int, customer: int, *, part: int, first: int = -1) -> tuple[int, ...]:
    """The item that started it, and Poisson(EXTRA_ITEMS) more to the customer's taste."""
    rng = np.random.default_rng([world.seed, run, part, customer])
    more = rng.poisson(truth.EXTRA_ITEMS) + (first < 0)
    drawn = rng.choice(len(world.items), more, p=world.choice[customer]).tolist()
    return (*((first,) if first >= 0 else ()), *drawn)


def _draws(world: World, run: int, *, part: int, columns: int) -> Floats:
    return np.random.default_rng([world.seed, run, part]).random((len(world.customers), columns))


def _messages(world: World, received: list[Received], links: list[dict[int, str]]) -> truth.Messages:
    n, width = len(world.customers), max(1, *(len(shown) for shown in links))
    items: Ints = np.full((n, width), -1)
    named, own_language = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for one, shown in zip(received, links, strict=True):
        items[one.customer, : len(shown)] = list(shown)
        named[one.customer] = world.customers.first_name[one.customer] in one.letter.subject
        own_language[one.customer] = world.customers.language[one.customer] == one.letter.language
    return truth.Messages(items, named, own_language)


def item_names(world: World) -> dict[str, int]:
    """Item rows by English name, Chinese name and the code of the picture."""
    names: dict[str, int] = {}
    goods = world.items
    for row, (d, c, t, f) in enumerate(
        zip(goods.department, goods.category, goods.thing, goods.finish, strict=True)
    ):
        thing, finish = DEPARTMENTS[d].categories[c].things[t][0], DEPARTMENTS[d].finishes[f][0]
        names |= {f"{finish.en} {thing.en}": row, f"{finish.zh}{thing.zh}": row, f"{d}-{c}-{t}-{f}": row}
    return names


def shown_links(letter: Letter, names: Mapping[str, int]) -> dict[int, str]:
    """The items that the letter links to, in order, each with its link."""
    shown: dict[int, str] = {}
    for held, url in letter.links:
        code = PICTURE.search(held)
        row = names.get(code[1] if code else held.strip())
        if row is not None:
            shown.setdefault(row, url)
    return shown
