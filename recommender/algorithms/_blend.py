"""What a blend of rankings is learned from: a validation slice, scores on one scale, and weights."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._ranking import top_k

Doubles = npt.NDArray[np.float64]
HELD_SHARE = 0.2
# With repeats the slice is the last part of the time, about a month of a year.
HELD_SPAN = 0.1
# The length of the list that is judged.
K = 20
# Steps of the search for weights, coarse to fine.
STEPS = (0.5, 0.25, 0.1, 0.05)


@dataclass(frozen=True)
class Slice:
    """`rest` to fit on; `held` to be found, in rows of the same users."""

    rest: Interactions
    held: Interactions


def fifth_of_each(interactions: Interactions, seed: int, *, by_time: bool) -> Slice:
    """Holds back the latest fifth of each user's pairs, at least one where there are two.

    Not `by_time`, without timestamps, and among pairs of the same second, chance decides.
    """
    rows = _rows(interactions)
    chance = np.random.default_rng(seed).random(len(rows))
    times = interactions.timestamps if by_time else None
    if times is None:
        times = np.zeros(len(rows), dtype=np.int64)
    order = np.lexsort((chance, -times, rows))
    lengths = np.diff(interactions.indptr)
    place = np.arange(len(rows)) - interactions.indptr[:-1][rows]
    wanted = np.where(lengths > 1, np.maximum(np.rint(lengths * HELD_SHARE), 1), 0)
    held = np.zeros(len(rows), dtype=np.bool_)
    held[order] = place < wanted[rows]
    return Slice(_chosen(interactions, ~held), _chosen(interactions, held))


def latest_of_all(interactions: Interactions) -> Slice:
    """Holds back what happened after a moment, so that what is bought again is to be found, too.

    A pair's events between its first and its last are taken as evenly spread. Needs timestamps and counts.
    """
    times, first, counts = interactions.timestamps, interactions.first_timestamps, interactions.counts
    if times is None or first is None or counts is None:
        raise ValueError("repeats can be learned only from interactions with timestamps and counts")
    if not len(times):
        return Slice(interactions, interactions)
    cut = times.max() - HELD_SPAN * (times.max() - first.min())
    gaps = np.maximum((times - first) / np.maximum(counts - 1, 1), 1e-9)
    most = np.where(times >= cut, counts - 1, counts)
    before = np.clip(np.ceil((cut - first) / gaps), 0, most).astype(np.int64)
    earlier = (first + np.maximum(before - 1, 0) * gaps).astype(np.int64)
    rest = replace(
        interactions,
        counts=before,
        weights=(interactions.weights * before / counts).astype(np.float32),
        timestamps=np.where(before == counts, times, earlier),
        events={},
    )
    return Slice(_chosen(rest, before > 0), _chosen(interactions, times >= cut))


def standardized(scores: Floats) -> Floats:
    """Each row with mean 0 and deviation 1, in place; −inf becomes the lowest of its row.

    A row that says nothing, or the same of all, is zero.
    """
    says = np.isfinite(scores)
    lowest = np.min(scores, axis=1, where=says, initial=np.inf)
    scores[~says] = np.broadcast_to(np.where(np.isfinite(lowest), lowest, 0)[:, None], scores.shape)[~says]
    scores -= scores.mean(axis=1, keepdims=True)
    deviation = scores.std(axis=1, keepdims=True)
    scores /= np.where(deviation > 1e-12, deviation, 1)
    return scores


def hits_of(lists: Ints, wanted: Interactions) -> npt.NDArray[np.bool_]:
    """bool[n, k]: is this place of the list one of the row's wanted items?"""
    width = max(wanted.n_items, 1)
    places = np.arange(len(lists))[:, None] * width + lists
    return np.isin(places, _rows(wanted) * width + wanted.items) & (lists >= 0)


def mean_ndcg(hits: npt.NDArray[np.bool_], sizes: Ints) -> float:
    """Binary gains, ideal list cut at the length of the lists. Source: Järvelin and Kekäläinen (2002)."""
    if not len(hits):
        return 0.0
    discounts = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.cumsum(discounts)[np.minimum(sizes, hits.shape[1]) - 1]
    return float(np.mean((hits @ discounts) / ideal))


@dataclass(frozen=True)
class Candidates:
    """What the parts say of the items that any of them ranks high.

    `scores` float32[n, places, parts], `valid` bool[n, places]: is there an item, `wanted` bool[n, places]:
    was it to be found; `sizes` how many were to be found in all.
    """

    scores: Floats
    valid: npt.NDArray[np.bool_]
    wanted: npt.NDArray[np.bool_]
    sizes: Ints

    def ndcg(self, weights: Doubles) -> float:
        blended = self.scores @ weights.astype(np.float32)
        blended[~self.valid] = -np.inf
        places, _ = top_k(blended, K)
        found = np.take_along_axis(self.wanted, np.maximum(places, 0), axis=1) & (places >= 0)
        return mean_ndcg(found, self.sizes)


def learn_weights(candidates: Candidates) -> Doubles:
    """Non-negative, their sum 1: coordinate ascent on NDCG, from the best pure part or the even blend.

    Ties go to the earlier; no step is taken that does not gain.
    """
    n_parts = candidates.scores.shape[2]
    starts = [*np.eye(n_parts), np.full(n_parts, 1 / n_parts)]
    values = [candidates.ndcg(start) for start in starts]
    best, value = starts[int(np.argmax(values))], max(values)
    for step in STEPS:
        gained = True
        while gained:
            gained = False
            for part in range(n_parts):
                for change in (step, -step):
                    tried = best.copy()
                    tried[part] = max(tried[part] + change, 0.0)
                    if not tried.sum():
                        continue
                    tried /= tried.sum()
                    found = candidates.ndcg(tried)
                    if found > value + 1e-9:
                        best, value, gained = tried, found, True
    return np.asarray(best)


def _rows(interactions: Interactions) -> Ints:
    return np.repeat(np.arange(interactions.n_users), np.diff(interactions.indptr))


def _chosen(interactions: Interactions, keep: npt.NDArray[np.bool_]) -> Interactions:
    indptr = np.concatenate([[0], np.cumsum(keep)])[interactions.indptr].astype(np.int64)
    return interactions._taken(np.flatnonzero(keep), indptr)
