"""Lists piece by piece: this thread reads histories while others rank the pieces before on every core."""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Interactions
from recommender.algorithms._blas import one_blas_thread
from recommender.inputs.histories import Histories, load_histories
from recommender.inputs.interactions import DEFAULT_EVENT_WEIGHTS
from recommender.inputs.moment import Moment
from recommender.ranking.assortment import Assortment
from recommender.ranking.many import BOUGHT, KINDS, VIEWED, Ranked, Ranking, by_popularity
from recommender.ranking.rules import Rules
from recommender.ranking.stocktaking import load_assortment
from recommender.serving import ServedModel

Ints = npt.NDArray[np.int64]
# Stands for somebody without a row of ours; no customer has it.
VISITOR = 0
CUSTOMERS_PER_PIECE = 2_000
WORKERS = min(os.cpu_count() or 1, 4)


class Recommendation(NamedTuple):
    """`reason_kind`: "because" (of `reason_item_id`, what in the history speaks most for it), "model"
    (personal, without such an item), "similar_customers" (popular with those who share traits), "popular"
    (not personal) or "pinned" (by the rules). Scores compare within one kind only. `reason_event`: what
    happened to the reason item, "bought" or "viewed".
    """

    item_id: int
    score: float
    reason_kind: str
    reason_item_id: int | None = None
    reason_event: str = ""


@dataclass(frozen=True)
class Request:
    """What is the same for all customers; `recently_popular` answers item ids with weights, for shops
    without a model. The catalog may be `max_age` seconds old.
    """

    served: ServedModel | None
    k: int
    rules: Rules
    moment: Moment
    left_out: Mapping[int, Collection[int]]
    recently_popular: Callable[[], list[tuple[int, float]]]
    max_age: float = 0.0


@dataclass(frozen=True)
class _Piece:
    histories: Histories
    rows: Interactions | None
    by_trait: tuple[npt.NDArray[np.float32], Ints] | None


def make_lists(request: Request, customer_ids: Collection[int]) -> Iterator[dict[int, list[Recommendation]]]:
    """In the order of the customers, each once. The database is only read from the calling thread."""
    customers = list(dict.fromkeys(customer_ids))
    spans = [customers[at : at + CUSTOMERS_PER_PIECE] for at in range(0, len(customers), CUSTOMERS_PER_PIECE)]
    if not spans:
        return
    assortment = load_assortment(max_age=request.max_age)
    popular = None if request.served else _order_of(request.recently_popular(), assortment)
    ranking = Ranking(
        request.served, assortment,
        k=request.k, rules=request.rules, moment=request.moment, popular=popular,
    )  # fmt: skip

    def rank(piece: _Piece) -> Ranked:
        with one_blas_thread():
            return ranking.rank(
                piece.histories, piece.rows, left_out=request.left_out, by_trait=piece.by_trait
            )

    if len(spans) == 1:
        yield lists_of(rank(_load(request, spans[0])))
        return
    waiting: deque[Future[Ranked]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        for span in spans:
            waiting.append(pool.submit(rank, _load(request, span)))
            if len(waiting) > WORKERS:
                yield lists_of(waiting.popleft().result())
        while waiting:
            yield lists_of(waiting.popleft().result())


def lists_of(ranked: Ranked) -> dict[int, list[Recommendation]]:
    k = ranked.items.shape[1]
    because = ranked.because.ravel().tolist()
    reasons = [item if item >= 0 else None for item in because]
    bought = ranked.is_bought.ravel().tolist()
    events = [
        (BOUGHT if one else VIEWED) if item >= 0 else "" for item, one in zip(because, bought, strict=True)
    ]
    kinds = map((*KINDS, "").__getitem__, ranked.kinds.ravel().tolist())
    entries = list(
        map(
            Recommendation,
            ranked.items.ravel().tolist(), ranked.scores.ravel().tolist(), kinds, reasons, events,
        )
    )  # fmt: skip
    lengths = (ranked.items >= 0).sum(axis=1).tolist()
    return {
        customer: entries[at * k : at * k + lengths[at]]
        for at, customer in enumerate(ranked.customers.tolist())
    }


def _load(request: Request, customers: list[int]) -> _Piece:
    """Histories with the moment in them, and what the traits of those say who have none."""
    served, moment = request.served, request.moment
    of_ratings = served is not None and served.model.is_explicit
    weights = served.event_weights if served else DEFAULT_EVENT_WEIGHTS
    if customers == [VISITOR]:
        histories = Histories.empty(customers, are_ratings=of_ratings)
    else:
        histories = load_histories(customers, event_weights=weights, of_ratings=of_ratings)
    if served is None:
        return _Piece(histories, None, None)
    histories = histories.at(moment, weight=served.strongest)
    rows = served.rows(histories)
    cold = np.flatnonzero(np.diff(rows.indptr) == 0)
    if served.by_trait is None or not len(cold):
        return _Piece(histories, rows, None)
    scores, group = served.by_trait.score(histories.customers[cold], moment)
    groups = np.full(len(customers), -1)
    groups[cold] = group
    return _Piece(histories, rows, (scores, groups))


def _order_of(
    popular: list[tuple[int, float]], assortment: Assortment
) -> tuple[Ints, npt.NDArray[np.float32]]:
    places = assortment.places([item for item, _ in popular])
    known = places >= 0
    weights = np.zeros(len(assortment.item_ids), dtype=np.float32)
    weights[places[known]] = np.array([weight for _, weight in popular])[known]
    return by_popularity(weights)
