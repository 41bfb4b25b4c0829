"""The lists of many customers under rules: what the model ranks, then what is popular, as arrays."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Interactions
from recommender.inputs.histories import Histories
from recommender.inputs.moment import Moment
from recommender.ranking.assortment import Assortment
from recommender.ranking.choosing import Asked, Lists, Shelf, fill_by_order, fill_by_scores, note_held
from recommender.ranking.rules import EXCLUDE, ONLY, Rules
from recommender.serving import ServedModel

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
MODEL, BECAUSE, SIMILAR, POPULAR, PINNED = "model", "because", "similar_customers", "popular", "pinned"
BOUGHT, VIEWED = "bought", "viewed"
KINDS = (MODEL, BECAUSE, SIMILAR, POPULAR, PINNED)
# Among how many of the best a diverse list is chosen, as a multiple of its length and at least.
CANDIDATES_PER_PLACE, LEAST_CANDIDATES = 5, 100


@dataclass(frozen=True, eq=False)
class Place:
    """Where the columns of a model stand in an assortment, and the other way round; −1 for nowhere.

    `popular` are all places, most popular first and items that nobody took yet at the end, newest first;
    `weights` float32 by place, `vectors` as `Shelf` has them.
    """

    of_column: npt.NDArray[np.int32]
    columns: Ints
    popular: Ints
    weights: Scores
    vectors: Scores


@lru_cache(maxsize=4)
def place_model(served: ServedModel, assortment: Assortment) -> Place:
    columns = served.columns(assortment.item_ids)
    weights = np.where(columns >= 0, served.model.item_weights[columns], 0) if served.model.n_items else 0
    return Place(
        assortment.places(served.item_ids).astype(np.int32),
        columns,
        *by_popularity(np.broadcast_to(weights, columns.shape).astype(np.float32)),
        _vectors(served, columns),
    )


def _vectors(served: ServedModel, columns: Ints) -> Scores:
    """Of length 1, by place; 0 for items that the model does not know or nobody took."""
    vectors = served.model.item_vectors()
    if vectors is None or not len(vectors):
        return np.zeros((len(columns), 0), dtype=np.float32)
    own = np.where((columns >= 0)[:, None], vectors[columns], 0)
    lengths = np.linalg.norm(own, axis=1, keepdims=True)
    return np.divide(own, lengths, out=np.zeros_like(own), where=lengths > 0).astype(np.float32)


def by_popularity(weights: Scores) -> tuple[Ints, Scores]:
    """Places by falling weight, equal known ones by place, unknown ones last with the newest first."""
    places = np.arange(len(weights))
    return np.lexsort((np.where(weights > 0, places, -places), -weights)), weights


@dataclass(frozen=True)
class Ranked:
    """Arrays [n, k], ids −1 where a list is shorter; `kinds` are numbers in KINDS. `because` is an item id or
    −1, `is_bought` whether it was.
    """

    customers: Ints
    items: Ints
    scores: Scores
    kinds: npt.NDArray[np.int8]
    because: Ints
    is_bought: npt.NDArray[np.bool_]


class Ranking:
    """What is the same for all customers of one request. `popular` (order and weights by place) is used where
    no model serves.
    """

    def __init__(
        self,
        served: ServedModel | None,
        assortment: Assortment,
        *,
        k: int,
        rules: Rules,
        moment: Moment,
        popular: tuple[Ints, Scores] | None = None,
    ) -> None:
        self._served, self._assortment, self._k, self._rules = served, assortment, k, rules
        self._context = moment.columns()
        self._now = assortment.places(moment.items)
        self._allowed = assortment.allowed(rules)
        self._place = place_model(served, assortment) if served is not None else None
        self._popular = (self._place.popular, self._place.weights) if self._place else popular
        vectors = self._place.vectors if self._place else np.zeros((len(assortment.item_ids), 0), np.float32)
        self._shelf = _shelf(assortment, vectors, is_capped=rules.max_per_category is not None)

    def rank(
        self,
        histories: Histories,
        rows: Interactions | None,
        *,
        left_out: Mapping[int, Collection[int]],
        by_trait: tuple[Scores, Ints] | None,
    ) -> Ranked:
        """`rows` are the histories in the model's columns; `by_trait` the scores of those without a history,
        and which of them each row goes by.
        """
        n, k = len(histories.customers), self._k
        lists = Lists(
            np.full((n, k), -1, np.int32), np.zeros((n, k), np.float32), np.full((n, k), -1, np.int8)
        )
        asked = self._asked(histories, left_out)
        self._pin(asked, lists)
        if rows is not None and self._served is not None and self._place is not None:
            self._fill_by_model(rows, asked, lists, cold=False)
            if by_trait is not None:
                self._fill_by_trait(*by_trait, asked, lists)
            self._fill_by_model(rows, asked, lists, cold=True)
        if self._popular is not None:
            order, weights = self._popular
            fill_by_order(order, weights, KINDS.index(POPULAR), asked, self._shelf, lists)
        because, is_bought = self._explain(histories, rows, lists)
        ids = self._assortment.item_ids
        items = np.where(lists.places >= 0, ids[lists.places], -1) if len(ids) else lists.places.astype(int)
        return Ranked(histories.customers, items, lists.scores, lists.kinds, because, is_bought)

    def _asked(self, histories: Histories, left_out: Mapping[int, Collection[int]]) -> Asked:
        """The rules in numbers, for these customers."""
        n, rules = len(histories.customers), self._rules
        own = [left_out.get(customer, ()) for customer in histories.customers.tolist()]
        ids = np.array([item for items in own for item in items], dtype=np.int64)
        out = np.repeat(np.arange(n), [len(items) for items in own]), self._assortment.places(ids)
        now = np.repeat(np.arange(n), len(self._now)), np.tile(self._now, n)
        bought = histories.bought_users, self._assortment.places(histories.bought_items)
        barred = [out, now, *([bought] if rules.bought == EXCLUDE else [])]
        wanted = [bought] if rules.bought == ONLY else []
        return Asked(
            self._allowed,
            *_spans(barred, n),
            rules.bought == ONLY,
            *_spans(wanted, n),
            rules.max_per_category or 0,
            1.0 if rules.diversity is None else rules.diversity,
            max(CANDIDATES_PER_PLACE * self._k, LEAST_CANDIDATES),
        )

    def _pin(self, asked: Asked, lists: Lists) -> None:
        pinned = self._assortment.places(self._rules.pinned)
        if len(pinned):
            nothing = np.zeros(len(self._assortment.item_ids), dtype=np.float32)
            order = asked._replace(balance=1.0)
            fill_by_order(pinned[pinned >= 0], nothing, KINDS.index(PINNED), order, self._shelf, lists)

    def _fill_by_model(self, rows: Interactions, asked: Asked, lists: Lists, *, cold: bool) -> None:
        """Those with a history, or (`cold`) those without, if the model can rank for them."""
        assert self._served is not None and self._place is not None
        is_cold = np.diff(rows.indptr) == 0
        model, kind = self._served.model, KINDS.index(MODEL)
        if cold and (model.needs_history or not is_cold.any()):
            return
        chosen = np.flatnonzero(is_cold == cold)
        if not len(chosen):
            return
        asked_for = rows if len(chosen) == rows.n_users else rows.rows(chosen)
        for start, scores in model.score_blocks(asked_for, context=self._context):
            block = chosen[start : start + len(scores)]
            first, line_of = int(block[0]), np.full(block[-1] - block[0] + 1, -1)
            line_of[block - first] = np.arange(len(block))
            fill_by_scores(first, scores, line_of, self._place.of_column, kind, asked, self._shelf, lists)

    def _fill_by_trait(self, scores: Scores, group: Ints, asked: Asked, lists: Lists) -> None:
        assert self._served is not None and self._served.by_trait is not None
        places = self._assortment.places(self._served.by_trait.item_ids).astype(np.int32)
        fill_by_scores(0, scores, group, places, KINDS.index(SIMILAR), asked, self._shelf, lists)

    def _explain(
        self, histories: Histories, rows: Interactions | None, lists: Lists
    ) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Item ids that speak most for what the model ranked, and whether they were bought; refines kinds."""
        because, is_bought = np.full(lists.places.shape, -1), np.zeros(lists.places.shape, dtype=np.bool_)
        served = self._served
        if served is None or rows is None or self._place is None or not rows.n_items:
            return because, is_bought
        ranked = lists.kinds == KINDS.index(MODEL)
        targets = np.where(ranked, self._place.columns[lists.places], -1) if ranked.any() else because
        model = served.model
        if not model.needs_history:
            # What everybody is shown is not personal, even where this customer knows it.
            own = _holds(rows.indptr, rows.items, targets)
            lists.kinds[ranked & ~(own & model.repeats_by_nature)] = KINDS.index(POPULAR)
        found = model.reasons(rows, targets) if ranked.any() else because
        lists.kinds[found >= 0] = KINDS.index(BECAUSE)
        columns, buyers = served.columns(histories.bought_items), histories.bought_users
        order = np.argsort(buyers, kind="stable")
        starts = np.searchsorted(buyers[order], np.arange(rows.n_users + 1))
        is_bought = _holds(starts, columns[order], found)
        return np.where(found >= 0, served.item_ids[found], -1), is_bought


def _shelf(assortment: Assortment, vectors: Scores, *, is_capped: bool) -> Shelf:
    category = assortment.category if is_capped else np.full(len(assortment.item_ids), -1, dtype=np.int32)
    n = len(assortment.codes) + len(assortment.brand_codes)
    return Shelf(category, n, assortment.tag_starts, assortment.tags, vectors)


def _spans(pairs: Sequence[tuple[Ints, Ints]], n: int) -> tuple[Ints, npt.NDArray[np.int32]]:
    """(row, place) pairs as places by row; places of −1 are left out."""
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *(rows for rows, _ in pairs)])
    places = np.concatenate([np.zeros(0, dtype=np.int64), *(places for _, places in pairs)])
    rows, places = rows[places >= 0], places[places >= 0]
    order = np.argsort(rows, kind="stable")
    return np.searchsorted(rows[order], np.arange(n + 1)), places[order].astype(np.int32)


def _holds(starts: Ints, items: Ints, wanted: Ints) -> npt.NDArray[np.bool_]:
    """Whether each row's span of `items` has the wanted ones; −1 is never had."""
    found = np.zeros(wanted.shape, dtype=np.bool_)
    note_held(starts, items, wanted, found)
    return found
