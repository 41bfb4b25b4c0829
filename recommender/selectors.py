"""Reads: which model serves, and what it recommends to whom."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

import numpy as np
from django.core.cache import cache
from django.utils import timezone

from personalization.catalog.selectors import recommendable
from recommender.context import Moment
from recommender.interactions import (
    DEFAULT_EVENT_WEIGHTS,
    History,
    load_histories,
    popular_items,
)
from recommender.models import ModelRun, RunStatus
from recommender.ranking import Ranking
from recommender.rules import EXCLUDE, ONLY, Rules, choose
from recommender.serving import ServedModel, serve_champion

MODEL, BECAUSE, POPULAR, PINNED = "model", "because", "popular", "pinned"
BOUGHT, VIEWED = "bought", "viewed"
NO_RULES = Rules()
POPULAR_DAYS = 90
POPULAR_LIMIT = 1_000
POPULAR_SECONDS = 60
POPULAR_KEY = "recommender.popular"
LOST_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Recommendation:
    """`reason_kind`: "because" (of `reason_item_id`, what in the history speaks most for it), "model"
    (personal, without such an item), "popular" (not personal) or "pinned" (by the rules). Scores compare
    within one kind only. `reason_event`: what happened to the reason item, "bought" or "viewed".
    """

    item_id: int
    score: float
    reason_kind: str
    reason_item_id: int | None = None
    reason_event: str = ""


def champion(*, repeats: bool = False) -> ModelRun | None:
    """The model that serves new items, or with `repeats` what a customer may have already; None before the
    first one of that use was promoted.
    """
    return ModelRun.objects.filter(is_champion=True, repeats=repeats).first()


def waiting_run_ids() -> list[int]:
    """Runs that nobody may be working on: waiting, or begun so long ago that their task may be lost."""
    waiting = ModelRun.objects.filter(status=RunStatus.QUEUED)
    begun = ModelRun.objects.filter(status=RunStatus.RUNNING, started_at__lt=timezone.now() - LOST_AFTER)
    return list((waiting | begun).order_by("created_at").values_list("pk", flat=True))


def recommend(
    customer_ids: Collection[int],
    *,
    k: int = 6,
    rules: Rules = NO_RULES,
    context: Moment | None = None,
    left_out: Mapping[int, Collection[int]] | None = None,
) -> dict[int, list[Recommendation]]:
    """At most k items for each customer, best first; only items that the rules allow, none twice.

    Histories and the catalog are read now, so an event of a second ago counts. Places that the model cannot
    fill are filled with popular items under the same rules: a list is empty only when no item is left that
    this customer may be shown. Memory grows with the customers asked for; ask in chunks of some hundreds.
    `left_out` has item ids by customer that must not come, such as those of the last messages.
    """
    served = serve_champion(repeats=rules.bought != EXCLUDE)
    weights = served.event_weights if served else DEFAULT_EVENT_WEIGHTS
    histories = load_histories(customer_ids, event_weights=weights)
    return _lists(served, histories, k=k, rules=rules, moment=context or Moment(), left_out=left_out or {})


def recommend_popular(
    *,
    k: int = 6,
    rules: Rules = NO_RULES,
    context: Moment | None = None,
    left_out: Collection[int] = (),
) -> list[Recommendation]:
    """For somebody without a history of ours: personal as far as the context tells, else popular."""
    served = serve_champion(repeats=rules.bought != EXCLUDE)
    histories = {0: History({}, set())}
    return _lists(served, histories, k=k, rules=rules, moment=context or Moment(), left_out={0: left_out})[0]


def recommend_with(
    served: ServedModel, customer_ids: Collection[int], *, k: int = 6, rules: Rules = NO_RULES
) -> dict[int, list[Recommendation]]:
    """As `recommend`, by a model that need not be the champion."""
    histories = load_histories(customer_ids, event_weights=served.event_weights)
    return _lists(served, histories, k=k, rules=rules, moment=Moment(), left_out={})


def allowed_items(rules: Rules) -> dict[int, str]:
    """Each item that may be shown to anybody now, with its narrowest category."""
    return recommendable(
        categories=rules.categories, not_categories=rules.not_categories, brands=rules.brands,
        price_min=rules.price_min, price_max=rules.price_max,
    )  # fmt: skip


def _lists(
    served: ServedModel | None,
    histories: dict[int, History],
    *,
    k: int,
    rules: Rules,
    moment: Moment,
    left_out: Mapping[int, Collection[int]],
) -> dict[int, list[Recommendation]]:
    allowed = allowed_items(rules)
    popular = dict(_popular_order(served, set(allowed)))
    places = {item: place for place, item in enumerate(popular)}

    weights = served.event_weights if served else DEFAULT_EVENT_WEIGHTS
    histories = {
        customer: _with_moment(history, moment, weight=max(weights.values()))
        for customer, history in histories.items()
    }

    def chosen(customer: int, history: History, personal: Iterable[int]) -> list[int]:
        rest: Iterable[int] = popular
        if rules.bought == ONLY:
            rest = sorted(history.bought & places.keys(), key=places.__getitem__)
        return choose(
            chain(personal, rest), k=k, rules=rules, allowed=allowed, bought=history.bought,
            left_out={*moment.items, *left_out.get(customer, ())},
        )  # fmt: skip

    ranking = (
        Ranking(served, histories, rules=rules, allowed=allowed, moment=moment, left_out=left_out)
        if served
        else None
    )
    ranked = ranking.best(k) if ranking else {}
    lists = {}
    for customer, history in histories.items():
        personal = ranked.get(customer, {})
        items = chosen(customer, history, personal)
        reasons = _reasons(served, history, [item for item in items if item in personal]) if served else {}
        lists[customer] = [
            _recommendation(item, rules, personal, popular, reasons.get(item)) for item in items
        ]
    return lists


def _with_moment(history: History, moment: Moment, *, weight: float) -> History:
    """What a customer is busy with counts as the strongest kind of event, just now."""
    weights, times = dict(history.weights), dict(history.times)
    for item in moment.items:
        _, first, count = times.get(item, (0, moment.seconds, 0))
        weights[item] = weights.get(item, 0.0) + weight
        times[item] = (moment.seconds, first, count + 1)
    return History(weights, history.bought, times)


def _recommendation(
    item: int,
    rules: Rules,
    personal: Mapping[int, float],
    popular: Mapping[int, float],
    reason: tuple[str, int | None, str] | None,
) -> Recommendation:
    if item in rules.pinned:
        return Recommendation(item, personal.get(item, 0.0), PINNED)
    if reason is None:
        return Recommendation(item, popular[item], POPULAR)
    return Recommendation(item, personal[item], *reason)


def _reasons(
    served: ServedModel, history: History, items: Sequence[int]
) -> dict[int, tuple[str, int | None, str]]:
    """Kind of reason and item of the history, for items that the model ranked."""
    row = served.rows([history])
    shares = served.model.contributions(row, served.columns(items).tolist())
    model = served.model
    found: dict[int, tuple[str, int | None, str]] = {}
    for place, item in enumerate(items):
        # What everybody is shown is not personal, even where this customer knows it.
        is_personal = model.needs_history or (model.repeats_by_nature and item in history.weights)
        found[item] = (MODEL if is_personal else POPULAR, None, "")
        if shares.shape[1]:
            # What was only looked at may be recommended again, but is no reason for itself.
            others = np.where(served.item_ids[row.items] == item, -np.inf, shares[place])
            best = int(np.argmax(others))
            if others[best] > 0:
                because = int(served.item_ids[row.items[best]])
                found[item] = (BECAUSE, because, BOUGHT if because in history.bought else VIEWED)
    return found


def _popular_order(served: ServedModel | None, allowed: set[int]) -> list[tuple[int, float]]:
    """Every allowed item with its popularity, most first; items nobody took yet at the end, newest
    first.
    """
    ranked = served.popular() if served is not None else _recently_popular()
    known = [(item, weight) for item, weight in ranked if item in allowed]
    rest = sorted(allowed - {item for item, _ in known}, reverse=True)
    return known + [(item, 0.0) for item in rest]


def _recently_popular() -> list[tuple[int, float]]:
    found = cache.get(POPULAR_KEY)
    if found is None:
        since = timezone.now() - timedelta(days=POPULAR_DAYS)
        found = popular_items(event_weights=DEFAULT_EVENT_WEIGHTS, since=since, limit=POPULAR_LIMIT)
        cache.set(POPULAR_KEY, found, POPULAR_SECONDS)
    return [(int(item), float(weight)) for item, weight in found]
