"""From scores to lists that obey the rules: compiled, so that a hundred thousand customers take seconds.

Items are places 0 … n − 1 on the shelf; customers are rows. Each function fills the free places of lists
that may have some entries already.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from recommender.algorithms._ranking_kernels import STRIDE, any_above, insert

Array = npt.NDArray[Any]


class Shelf(NamedTuple):
    """`category` int32[n], the narrowest of each item, −1 for none or where no cap counts it; `tags` of item
    i, ascending, are tags[tag_starts[i] : tag_starts[i + 1]].
    """

    category: Array
    n_categories: int
    tag_starts: Array
    tags: Array


class Asked(NamedTuple):
    """Rules in numbers. Of row r, barred[barred_starts[r] : barred_starts[r + 1]] never come, and with `only`
    nothing but the same span of `wanted`. `cap`: most of a category. `balance` 1 keeps the order of scores;
    less is the λ of maximal marginal relevance, which then chooses among the `depth` best.
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
    column_of = _places_in(place_of, len(asked.allowed))
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
    barred, wanted = _marks(asked)
    room = np.empty(shelf.n_categories, dtype=np.int32)
    values, found = _candidates(k, asked)
    turn_of, turns = _places_in(order, len(asked.allowed)), np.arange(len(order))
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
    return np.full(n, -1, dtype=np.int32), np.full(n, -1, dtype=np.int32)


@njit(cache=True, nogil=True)
def _places_in(places: Array, n: int) -> Array:
    """Where each of n places stands in `places`, −1 for nowhere."""
    found = np.full(n, -1, dtype=np.int64)
    for at in range(len(places)):
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
    """Moves candidates into the list, in their order or by maximal marginal relevance.

    There the next is the largest of λ × relevance − (1 − λ) × likeness to the most alike entry so far, with
    relevance as the score between the worst (0) and the best (1) candidate. Source: Carbonell and Goldstein
    (1998).
    """
    k, n = lists.places.shape[1], _entries(places)
    if not n:
        return
    near = np.zeros(n, dtype=np.float64)
    is_taken = np.zeros(n, dtype=np.bool_)
    span = np.float64(values[0]) - np.float64(values[n - 1])
    if asked.balance < 1:
        for at in range(have):
            _note_near(lists.places[row, at], places, n, shelf, near)
    for turn in range(min(n, k - have)):
        best = turn
        if asked.balance < 1:
            best, gain = -1, -np.inf
            for at in range(n):
                relevance = (np.float64(values[at]) - np.float64(values[n - 1])) / span if span > 0 else 1.0
                worth = asked.balance * relevance - (1 - asked.balance) * near[at]
                if not is_taken[at] and worth > gain:
                    best, gain = at, worth
            _note_near(places[best], places, n, shelf, near)
        is_taken[best] = True
        lists.places[row, have + turn] = places[best]
        lists.scores[row, have + turn] = values[best]
        lists.kinds[row, have + turn] = kind


@njit(cache=True, nogil=True)
def _note_near(place: int, places: Array, n: int, shelf, near: Array) -> None:
    for at in range(n):
        near[at] = max(near[at], likeness(place, places[at], shelf.tag_starts, shelf.tags))


@njit(cache=True, nogil=True)
def likeness(one: int, other: int, tag_starts: Array, tags: Array) -> float:
    """Share of the tags of both that they have in common (Jaccard); 0 without tags."""
    left, right, common = tag_starts[one], tag_starts[other], 0
    left_end, right_end = tag_starts[one + 1], tag_starts[other + 1]
    total = (left_end - left) + (right_end - right)
    while left < left_end and right < right_end:
        if tags[left] == tags[right]:
            common += 1
            left += 1
            right += 1
        elif tags[left] < tags[right]:
            left += 1
        else:
            right += 1
    return common / (total - common) if total > common else 0.0
