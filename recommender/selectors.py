"""Reads: which model serves, and what it recommends to whom."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.core.cache import cache
from django.utils import timezone

from personalization.catalog.selectors import recommendable_ids
from recommender.algorithms import Interactions
from recommender.interactions import (
    DEFAULT_EVENT_WEIGHTS,
    History,
    load_histories,
    popular_items,
)
from recommender.models import ModelRun, RunStatus
from recommender.serving import ServedModel, serve_champion

MODEL, BECAUSE, POPULAR = "model", "because", "popular"
POPULAR_DAYS = 90
POPULAR_LIMIT = 1_000
POPULAR_SECONDS = 60
POPULAR_KEY = "recommender.popular"
LOST_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Recommendation:
    """`reason_kind`: "because" (of `reason_item_id`, what in the history speaks most for it), "model"
    (personal,
    without such an item) or "popular" (not personal). Scores compare within one kind only."""

    item_id: int
    score: float
    reason_kind: str
    reason_item_id: int | None = None


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
    exclude_bought: bool = True,
    allowed_item_ids: Iterable[int] | None = None,
) -> dict[int, list[Recommendation]]:
    """At most k items for each customer, best first; only items that may be recommended, none twice.

    Histories are read now, so an event of a second ago counts. Places that the model cannot fill are
    filled with popular items: a list is empty only when no allowed item is left. Memory grows with the
    customers asked for; ask in chunks of some hundreds.
    """
    allowed = set(recommendable_ids())
    if allowed_item_ids is not None:
        allowed &= set(allowed_item_ids)
    served = serve_champion()
    weights = served.event_weights if served else DEFAULT_EVENT_WEIGHTS
    histories = load_histories(customer_ids, event_weights=weights)
    if not exclude_bought:
        histories = {customer: History(h.weights, set()) for customer, h in histories.items()}
    lists: dict[int, list[Recommendation]] = {customer: [] for customer in histories}
    if served is not None:
        lists = _personal(served, histories, k=k, allowed=allowed)
    order = _popular_order(served, allowed)
    return {
        customer: _filled(lists[customer], order, k=k, bought=history.bought)
        for customer, history in histories.items()
    }


def recommend_popular(*, k: int = 6, allowed_item_ids: Iterable[int] | None = None) -> list[Recommendation]:
    """For somebody we know nothing about."""
    allowed = set(recommendable_ids())
    if allowed_item_ids is not None:
        allowed &= set(allowed_item_ids)
    return _filled([], _popular_order(serve_champion(), allowed), k=k, bought=set())


def _personal(
    served: ServedModel, histories: dict[int, History], *, k: int, allowed: set[int]
) -> dict[int, list[Recommendation]]:
    customers = list(histories)
    rows = _rows(served, [histories[customer] for customer in customers])
    exclude = [served.columns(sorted(histories[customer].bought)) for customer in customers]
    columns, scores = served.model.recommend_for(
        rows, k, exclude=exclude, allowed=served.columns(sorted(allowed))
    )
    return {
        customer: _with_reasons(served, rows.rows([at]), columns[at], scores[at])
        for at, customer in enumerate(customers)
    }


def _rows(served: ServedModel, histories: Sequence[History]) -> Interactions:
    """The histories in the model's columns, damped as in training; items it does not know are left out."""
    users = np.repeat(np.arange(len(histories)), [len(history.weights) for history in histories])
    items = np.fromiter((item for history in histories for item in history.weights), dtype=np.int64)
    weights = np.fromiter((w for history in histories for w in history.weights.values()), dtype=np.float64)
    columns = served.columns(items)
    known = columns >= 0
    return Interactions.from_arrays(
        users=users[known], items=columns[known], weights=weights[known],
        shape=(len(histories), len(served.item_ids)),
    ).damped()  # fmt: skip


def _with_reasons(
    served: ServedModel,
    history: Interactions,
    columns: np.ndarray[tuple[int], np.dtype[np.int64]],
    scores: np.ndarray[tuple[int], np.dtype[np.float32]],
) -> list[Recommendation]:
    columns = columns[columns >= 0]
    shares = served.model.contributions(history, columns.tolist())
    personal = MODEL if served.model.needs_history else POPULAR
    found = []
    for place, column in enumerate(columns):
        # What was only looked at may be recommended again, but is no reason for itself.
        others = (
            np.where(history.items == column, -np.inf, shares[place]) if shares.shape[1] else shares[place]
        )
        best = int(np.argmax(others)) if len(others) else -1
        is_because = best >= 0 and others[best] > 0
        found.append(
            Recommendation(
                item_id=int(served.item_ids[column]),
                score=float(scores[place]),
                reason_kind=BECAUSE if is_because else personal,
                reason_item_id=int(served.item_ids[history.items[best]]) if is_because else None,
            )
        )
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


def _filled(
    found: list[Recommendation], order: Sequence[tuple[int, float]], *, k: int, bought: set[int]
) -> list[Recommendation]:
    taken = {recommendation.item_id for recommendation in found} | bought
    filled = list(found)
    for item, weight in order:
        if len(filled) >= k:
            break
        if item not in taken:
            filled.append(Recommendation(item, weight, POPULAR))
    return filled
