"""Reads: which model serves, and what it recommends to whom."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

import structlog
from django.core.cache import cache
from django.utils import timezone

from recommender.inputs.interactions import DEFAULT_EVENT_WEIGHTS, popular_items
from recommender.inputs.moment import Moment
from recommender.models import ModelRun, RunStatus
from recommender.ranking.lists import VISITOR, Recommendation, Request, make_lists
from recommender.ranking.many import BECAUSE, BOUGHT, MODEL, PINNED, POPULAR, SIMILAR, VIEWED
from recommender.ranking.rules import EXCLUDE, Rules
from recommender.ranking.stocktaking import load_assortment, write_numbers
from recommender.serving import UNREADABLE, ServedModel, refresh_champions, serve_champion, serve_run

__all__ = [
    "BECAUSE", "BOUGHT", "MODEL", "PINNED", "POPULAR", "SIMILAR", "VIEWED", "Moment", "Recommendation",
    "champion", "champion_in_use", "recommend", "recommend_lists", "recommend_popular", "recommend_with",
    "refresh",
    "shown_item_ids", "trained_algorithms", "waiting_run_ids", "write_numbers",
]  # fmt: skip
log = structlog.get_logger(__name__)
NO_RULES = Rules()
POPULAR_DAYS = 90
POPULAR_LIMIT = 1_000
POPULAR_SECONDS = 60
POPULAR_KEY = "recommender.popular"
LOST_AFTER = timedelta(minutes=10)


def champion(*, repeats: bool = False) -> ModelRun | None:
    """The model that serves new items, or with `repeats` what a customer may have already; None before the
    first one of that use was promoted.
    """
    found = ModelRun.objects.filter(is_champion=True, repeats=repeats)
    return found.defer("item_ids", "popular_by_trait").first()


def champion_in_use(*, repeats: bool = False) -> ModelRun | None:
    """The one that `recommend` asks: of repeats, if there is none, the one of new items. Only its algorithm
    is read.
    """
    champions = ModelRun.objects.filter(is_champion=True, repeats__in={repeats, False})
    return champions.order_by("-repeats").only("algorithm").first()


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
    by: str = "",
    max_age: float = 0.0,
) -> dict[int, list[Recommendation]]:
    """As `recommend_lists`, all at once: memory grows with the customers asked for."""
    lists = recommend_lists(
        customer_ids, k=k, rules=rules, context=context, left_out=left_out, by=by, max_age=max_age
    )
    return {customer: found for some in lists for customer, found in some.items()}


def recommend_lists(
    customer_ids: Collection[int],
    *,
    k: int = 6,
    rules: Rules = NO_RULES,
    context: Moment | None = None,
    left_out: Mapping[int, Collection[int]] | None = None,
    by: str = "",
    max_age: float = 0.0,
) -> Iterator[dict[int, list[Recommendation]]]:
    """At most k items for each customer, best first, in pieces of some thousand customers: only items that
    the rules allow, none twice.

    Histories, stock, hidden flags and all else of the catalog are read now, so an event or a change of a
    second ago counts. Customers without a history get what is popular among those who share their traits.
    Places left over are filled with popular items under the same rules: a list is empty only when no item is
    left that this customer may be shown. `left_out` has item ids by customer that must not come, such as
    those of the last messages. `by`: POPULAR asks no model, the name of an algorithm its newest one, empty
    the champion, which also stands in for a model that is not there. With `max_age` the catalog and the
    champion may be those of so many seconds ago.
    """
    repeats = rules.bought != EXCLUDE
    served = None if by == POPULAR else _served(by, repeats=repeats, max_age=max_age)
    return make_lists(
        Request(served, k, rules, context or Moment(), left_out or {}, _recently_popular, max_age),
        customer_ids,
    )


def refresh(*, max_age: float) -> None:
    """Reads the catalog and the champions in use anew where this process has older ones: whoever asks with a
    larger `max_age` need not wait for it.
    """
    refresh_champions(max_age=max_age)
    load_assortment(max_age=max_age)


def shown_item_ids(*, max_age: float = 0.0) -> list[int]:
    """What may be shown now, or at most `max_age` seconds ago; ascending."""
    return load_assortment(max_age=max_age).item_ids.tolist()


def trained_algorithms() -> list[str]:
    """Those of which there is a finished model."""
    done = ModelRun.objects.filter(status=RunStatus.DONE).exclude(artifact="")
    return sorted(set(done.order_by().values_list("algorithm", flat=True)))


def _served(algorithm: str, *, repeats: bool, max_age: float) -> ServedModel | None:
    if algorithm:
        done = ModelRun.objects.filter(algorithm=algorithm, status=RunStatus.DONE).exclude(artifact="")
        newest = (
            done.order_by("-finished_at").only("pk", "artifact", "artifact_sha256", "is_champion").first()
        )
        try:
            if newest is not None:
                return serve_run(newest)
        except UNREADABLE as error:
            log.error("model_unreadable", run=newest and newest.pk, error=str(error))
    return serve_champion(repeats=repeats, max_age=max_age)


def recommend_popular(
    *,
    k: int = 6,
    rules: Rules = NO_RULES,
    context: Moment | None = None,
    left_out: Collection[int] = (),
    max_age: float = 0.0,
) -> list[Recommendation]:
    """For a visitor without a history of ours: personal as far as the context tells, else popular."""
    visitor = recommend_lists(
        [VISITOR], k=k, rules=rules, context=context, left_out={VISITOR: left_out}, max_age=max_age
    )
    return next(visitor)[VISITOR]


def recommend_with(
    served: ServedModel, customer_ids: Collection[int], *, k: int = 6, rules: Rules = NO_RULES
) -> dict[int, list[Recommendation]]:
    """As `recommend`, by a model that need not be the champion."""
    request = Request(served, k, rules, Moment(), {}, _recently_popular)
    return {customer: found for some in make_lists(request, customer_ids) for customer, found in some.items()}


def _recently_popular() -> list[tuple[int, float]]:
    found = cache.get(POPULAR_KEY)
    if found is None:
        since = timezone.now() - timedelta(days=POPULAR_DAYS)
        found = popular_items(event_weights=DEFAULT_EVENT_WEIGHTS, since=since, limit=POPULAR_LIMIT)
        cache.set(POPULAR_KEY, found, POPULAR_SECONDS)
    return [(int(item), float(weight)) for item, weight in found]
