"""From scores to lists that obey the rules: compiled, so that a hundred thousand customers take seconds.

Items are places 0 … n − 1 on the shelf; customers are rows. Each function fills the free places of lists
that may have some entries already.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from recommender.algorithms._ranking_kernels import STRIDE, any_above, insert
from recommender.ranking.variety import alike, scale

Array = npt.NDArray[Any]
# Chosen on slices for validation of two data sets (`bin/bench recommender_serving` shows them): the most
# variety of which λ = 0.7 costs at most 4 % of NDCG@20 on either.
CLOSENESS = 1.1


class Shelf(NamedTuple):
    """`category` int32[n], the narrowest of each item, −1 for none or where no cap counts it; `tags` of item
    i, ascending, are tags[tag_starts[i] : tag_starts[i + 1]]. `vectors` float32[n, some] of length 1, or 0
    for items without one.
    """

    category: Array
    n_categories: int
    tag_starts: Array
    tags: Array
    vectors: Array


class Asked(NamedTuple):
    """Rules in numbers. Of row r, barred[barred_starts[r] : barred_starts[r + 1]] never come, and with `only`
    nothing but the same span of `wanted`. `cap`: most of a category. `balance` 1 keeps the order of scores;
    less is the λ of marginal relevance (see `_take`), which then chooses among the `depth` best.
    """

    allowed: Array
    barred_starts: Array
    barred: Array
    only: bool
    wanted_starts: Array
    wanted: Array
    cap: int
    balance: float
    depth: int


class Lists(NamedTuple):
    """int32[n, k] places (−1: free), float32[n, k] scores, int8[n, k] kinds: what `fill_…` was told."""

    places: Array
    scores: Array
    kinds: Array


@njit(cache=True, nogil=True)
def fill_by_scores(
    first: int, scores: Array, line_of: Array, place_of: Array, kind: int, asked, shelf, lists
) -> None:
    """Rows `first` … of the lists, best scores first; row first + r goes by scores[line_of[r]], none for −1.

    `place_of` int32 has each column's place, −1 for none. Equal scores by column; −inf and NaN never come.
    """
    k = lists.places.shape[1]
    barred, wanted = _marks(asked)
    room = np.empty(shelf.n_categories, dtype=np.int32)
    values, found = _candidates(k, asked)
    column_of = _places_in(place_of, len(asked.allowed) if asked.only else 0)
    for at in range(len(line_of)):
        row = first + at
        have = _entries(lists.places[row])
        if line_of[at] < 0 or have == k:
            continue
        _note_row(row, have, asked, shelf, lists, barred, wanted, room)
        size = k - have if asked.balance >= 1 else max(k - have, asked.depth)
        best, places = values[:size], found[:size]
        best[:] = -np.inf
        places[:] = -1
        line = scores[line_of[at]]
        if asked.only:
            for column in _wanted(row, asked, column_of):
                place = place_of[column]
                if line[column] > best[size - 1] and _may_come(place, row, asked, barred, wanted):
                    _insert_capped(line[column], place, shelf.category, room, best, places)
            _take(row, have, kind, best, places, asked, shelf, lists)
            continue
        for start in range(0, len(line), STRIDE):
            stop = min(start + STRIDE, len(line))
            if not any_above(line[start:stop], best[size - 1]):
                continue
            for column in range(start, stop):
                place = place_of[column]
                if line[column] > best[size - 1] and _may_come(place, row, asked, barred, wanted):
                    _insert_capped(line[column], place, shelf.category, room, best, places)
        _take(row, have, kind, best, places, asked, shelf, lists)


@njit(cache=True, nogil=True)
def fill_by_order(order: Array, weights: Array, kind: int, asked, shelf, lists) -> None:
    """Every row, in one order of places for all; `weights` of the places become the scores."""
    n, k = lists.places.shape
    if not k or not (lists.places[:, k - 1] < 0).any():
        return  # what follows is as long as the catalog, and most lists are full by now
    barred, wanted = _marks(asked)
    room = np.empty(shelf.n_categories, dtype=np.int32)
    values, found = _candidates(k, asked)
    turn_of, turns = _places_in(order, len(asked.allowed) if asked.only else 0), np.arange(len(order))
    for row in range(n):
        have = _entries(lists.places[row])
        if have == k:
            continue
        _note_row(row, have, asked, shelf, lists, barred, wanted, room)
        size = k - have if asked.balance >= 1 else max(k - have, asked.depth)
        n_found = 0
        for turn in _wanted(row, asked, turn_of) if asked.only else turns:
            if n_found == size:
                break
            place = order[turn]
            if not _may_come(place, row, asked, barred, wanted):
                continue
            category = shelf.category[place]
            if category >= 0:
                if room[category] <= 0:
                    continue
                room[category] -= 1
            values[n_found], found[n_found] = weights[place], place
            n_found += 1
        _take(row, have, kind, values[:n_found], found[:n_found], asked, shelf, lists)


@njit(cache=True, nogil=True)
def _marks(asked):
    """For `_note_row`: the number of the row for which a place is barred, or wanted."""
    n = len(asked.allowed)
    return np.full(n, -1, dtype=np.int32), np.full(n if asked.only else 0, -1, dtype=np.int32)


@njit(cache=True, nogil=True)
def _places_in(places: Array, n: int) -> Array:
    """Where each of n places stands in `places`, −1 for nowhere; nothing is looked up for n = 0."""
    found = np.full(n, -1, dtype=np.int64)
    for at in range(len(places) if n else 0):
        if places[at] >= 0:
            found[places[at]] = at
    return found


@njit(cache=True, nogil=True)
def _wanted(row: int, asked, where: Array) -> Array:
    """Where the few places stand that this row must come from: ascending, each once."""
    own = asked.wanted[asked.wanted_starts[row] : asked.wanted_starts[row + 1]]
    found = np.unique(where[own])
    return found[np.searchsorted(found, 0) :]


@njit(cache=True, nogil=True)
def _candidates(k: int, asked):
    n = max(k, asked.depth)
    return np.empty(n, dtype=np.float32), np.empty(n, dtype=np.int64)


@njit(cache=True, nogil=True)
def _entries(places: Array) -> int:
    count = 0
    while count < len(places) and places[count] >= 0:
        count += 1
    return count


@njit(cache=True, nogil=True)
def _note_row(row: int, have: int, asked, shelf, lists, barred: Array, wanted: Array, room: Array) -> None:
    """Marks what this row may not or must come from with its number, and counts the room in categories."""
    room[:] = asked.cap
    for at in range(asked.barred_starts[row], asked.barred_starts[row + 1]):
        barred[asked.barred[at]] = row
    if asked.only:
        for at in range(asked.wanted_starts[row], asked.wanted_starts[row + 1]):
            wanted[asked.wanted[at]] = row
    for at in range(have):
        place = lists.places[row, at]
        barred[place] = row
        if shelf.category[place] >= 0:
            room[shelf.category[place]] -= 1


@njit(cache=True, nogil=True)
def _may_come(place: int, row: int, asked, barred: Array, wanted: Array) -> bool:
    if place < 0 or not asked.allowed[place]:
        return False
    return barred[place] != row and (not asked.only or wanted[place] == row)


@njit(cache=True, nogil=True)
def _insert_capped(
    score: float, place: int, category: Array, room: Array, values: Array, places: Array
) -> None:
    """As `insert`, but of a category without room only in exchange for its worst.

    In each category the best that fit, and of these the best: what choosing one after the other gives, too.
    """
    own = category[place]
    if own >= 0:
        count, worst = 0, -1
        for at in range(len(places)):
            if places[at] >= 0 and category[places[at]] == own:
                count += 1
                worst = at
        if count >= room[own]:
            if worst < 0 or not score > values[worst]:
                return
            for at in range(worst, len(places) - 1):
                values[at], places[at] = values[at + 1], places[at + 1]
            values[-1], places[-1] = -np.inf, -1
    insert(score, place, values, places)


@njit(cache=True, nogil=True)
def _take(row: int, have: int, kind: int, values: Array, places: Array, asked, shelf, lists) -> None:
    """Moves candidates into the list, in their order or by marginal relevance: then the next is the largest
    of λ × relevance − (1 − λ) × CLOSENESS × mean likeness to the entries so far.

    Relevance is the score in units of its spread among all candidates, the mean likeness in units of its
    spread among those that are left: so λ weighs them alike whatever a model's scores look like, and however
    alike a shop's items are. Sources: Carbonell and Goldstein (1998); the mean instead of the largest
    likeness, since diversity is a mean over pairs, after Smyth and McClave (2001).
    """
    k, n = lists.places.shape[1], _entries(places)
    if not n:
        return
    if asked.balance >= 1:
        for turn in range(min(n, k - have)):
            _put(row, have + turn, kind, values[turn], places[turn], lists)
        return
    vectors = shelf.vectors[places[:n]]
    near, left = np.zeros(n, dtype=np.float64), np.ones(n, dtype=np.bool_)
    for at in range(have):
        near += alike(lists.places[row, at], places[:n], vectors, shelf)
    # Taking the means away would change nothing: they are the same for all.
    by_score = asked.balance * scale(values[:n], left)
    for at in range(have, min(have + n, k)):
        by_closeness = (1 - asked.balance) * CLOSENESS * scale(near, left)
        best, gain = -1, -np.inf
        for candidate in range(n):
            worth = by_score * np.float64(values[candidate]) - by_closeness * near[candidate]
            if left[candidate] and worth > gain:
                best, gain = candidate, worth
        left[best] = False
        near += alike(places[best], places[:n], vectors, shelf)
        _put(row, at, kind, values[best], places[best], lists)


@njit(cache=True, nogil=True)
def _put(row: int, at: int, kind: int, score: float, place: int, lists) -> None:
    lists.places[row, at] = place
    lists.scores[row, at] = score
    lists.kinds[row, at] = kind


@njit(cache=True, nogil=True)
def note_held(starts: Array, items: Array, wanted: Array, found: Array) -> None:
    """Marks the wanted items (−1: none) that stand in their row's span of `items`."""
    for row in range(len(wanted)):
        for at in range(wanted.shape[1]):
            for place in range(starts[row], starts[row + 1]):
                if wanted[row, at] >= 0 and items[place] == wanted[row, at]:
                    found[row, at] = True
                    break
