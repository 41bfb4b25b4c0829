"""Several recommenders at once, in the proportion that served best on a slice of the past."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms import _blend as blend
from recommender.algorithms import get
from recommender.algorithms._base import (
    BLOCK_SCORES,
    Arrays,
    Context,
    Progress,
    Recommender,
    Training,
    gettext_noop,
)
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._ranking import top_k

Piece = tuple[Floats, npt.NDArray[np.bool_]]
PARTS = ("als", "ease", "item_knn", "popular")
# Judging more users does not move the weights, only takes longer.
MOST_USERS = 2_000
# Each part brings this many of its best to the choice of weights; all of them are judged at the end.
CANDIDATES = 100


class Hybrid(Recommender):
    """Score: Σ weight × the part's score, standardized over all items for each user.

    The weights maximize NDCG@20 on each user's latest fifth, which the parts did not see for it; then the
    parts learn from everything. Where no blend beats the best part on that slice, the weights are that part
    alone, so the hybrid is never worse there. Not `by_time`, or without timestamps, it is a random fifth.
    With `repeats` it is the last tenth of the time, and what a user already has counts as well.

    `parts`: names of other algorithms, or parameters by name; None for ALS, EASE, item neighbors and
    popularity. A fit takes about twice as long as its parts together.
    `validation` holds the NDCG@20 of each part and of the blend on the slice. A user without history gets
    nothing. Source: own; coordinate ascent on the measure itself after Metzler and Croft (2007).
    """

    name = "hybrid"
    title = gettext_noop("Blend of several")
    instead = "als, or a hybrid without ease"

    def __init__(
        self,
        *,
        parts: Mapping[str, Mapping[str, Any]] | Sequence[str] | None = None,
        repeats: bool = False,
        by_time: bool = True,
        seed: int = 0,
    ) -> None:
        chosen = PARTS if parts is None else parts
        given = chosen if isinstance(chosen, Mapping) else {name: {} for name in chosen}
        # In alphabetical order, whatever a file or a form makes of theirs: weights go by it.
        self.parts = {name: dict(given[name]) for name in sorted(given)}
        self.repeats = repeats
        self.by_time = by_time
        self.seed = seed
        self.validation: dict[str, float] = {}
        if not self.parts or self.name in self.parts:
            raise ValueError("parts must name at least one other algorithm")
        for part in self._new_parts():
            if part.uses_context:
                raise ValueError(f"{part.name} learns from events with their context, which a slice has not")

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        return sum(part.needed_bytes(n_users, n_items, n_interactions) for part in self._new_parts())

    def _new_parts(self) -> list[Recommender]:
        made = []
        for name, parameters in self.parts.items():
            seeded = {"seed": self.seed} if "seed" in get(name)().parameters else {}
            made.append(get(name)(**{**seeded, **parameters}))
        return made

    def _learn(self, interactions: Interactions, training: Training) -> None:
        steps = self._steps(training)
        self._weights = np.full(len(self.parts), 1 / len(self.parts))
        if len(interactions.items):
            self._choose_weights(interactions, training, steps)
        self._fitted = self._fit_parts(interactions, training, steps)
        training.progress(1.0)

    def _steps(self, training: Training) -> Iterator[Progress]:
        """For each fit to come, what hears its progress as a share of all."""
        total = 2 * len(self.parts) + 1

        def heard(done: int) -> Progress:
            return lambda share: training.progress((done + share) / total)

        return (heard(done) for done in range(total))

    def _fit_parts(
        self, interactions: Interactions, training: Training, steps: Iterator[Progress]
    ) -> list[Recommender]:
        return [
            part.fit(interactions, features=training.features, progress=next(steps))
            for part in self._new_parts()
        ]

    def _choose_weights(
        self, interactions: Interactions, training: Training, steps: Iterator[Progress]
    ) -> None:
        if self.repeats:
            held_back = blend.latest_of_all(interactions)
        else:
            held_back = blend.fifth_of_each(interactions, self.seed, by_time=self.by_time)
        rest, held = held_back.rest, held_back.held
        users = np.flatnonzero((np.diff(rest.indptr) > 0) & (np.diff(held.indptr) > 0))
        if not len(users):
            return
        if len(users) > MOST_USERS:
            chosen = np.random.default_rng(self.seed).choice(users, MOST_USERS, replace=False)
            users = np.sort(chosen)
        self._fitted = self._fit_parts(rest, training, steps)
        histories, wanted = rest.rows(users), held.rows(users)
        self._weights = blend.learn_weights(self._candidates(histories, wanted))
        self._keep_the_best(histories, wanted)

    def _candidates(self, histories: Interactions, wanted: Interactions) -> blend.Candidates:
        """What the parts rank highest, each item of a user once; places of duplicates are not valid."""
        scores, valid, hits = [], [], []
        for rows in self._spans(histories.n_users):
            pieces = self._pieces(histories.rows(rows), {})
            lists = [self._list(histories.rows(rows), piece, CANDIDATES) for piece in pieces]
            items = np.sort(np.concatenate(lists, axis=1), axis=1)
            items[:, 1:][items[:, 1:] == items[:, :-1]] = -1
            known = np.maximum(items, 0)
            scores.append(np.stack([np.take_along_axis(z, known, axis=1) for z, _ in pieces], axis=2))
            valid.append(items >= 0)
            hits.append(blend.hits_of(items, wanted.rows(rows)))
        return blend.Candidates(
            np.concatenate(scores), np.concatenate(valid), np.concatenate(hits), np.diff(wanted.indptr)
        )

    def _keep_the_best(self, histories: Interactions, wanted: Interactions) -> None:
        """Judges over all items; where the blend does not beat the best part, takes that part alone."""
        tried = [*np.eye(len(self.parts)), self._weights]
        hits: list[list[npt.NDArray[np.bool_]]] = [[] for _ in tried]
        for rows in self._spans(histories.n_users):
            block = histories.rows(rows)
            pieces = self._pieces(block, {})
            for weights, found in zip(tried, hits, strict=True):
                lists = self._list(block, _mixed(pieces, weights), blend.K)
                found.append(blend.hits_of(lists, wanted.rows(rows)))
        sizes = np.diff(wanted.indptr)
        values = [blend.mean_ndcg(np.concatenate(found), sizes) for found in hits]
        best = int(np.argmax(values[:-1]))
        if values[-1] <= values[best]:
            self._weights, values[-1] = tried[best], values[best]
        self.validation = dict(zip([*self.parts, self.name], values, strict=True))

    def _spans(self, n: int) -> Iterator[Ints]:
        step = max(1, BLOCK_SCORES // (max(self.n_items, 1) * len(self.parts)))
        return (np.arange(start, min(start + step, n)) for start in range(0, n, step))

    def _list(self, block: Interactions, piece: Piece, k: int) -> Ints:
        """The k best, on the slice: without what a user already has, unless repeats count."""
        scores, says = piece
        scores = np.where(says, scores, -np.inf)
        if not self.repeats:
            scores[np.repeat(np.arange(block.n_users), np.diff(block.indptr)), block.items] = -np.inf
        return top_k(scores, k)[0]

    def _pieces(self, histories: Interactions, context: Context) -> list[Piece]:
        """Of each part the standardized scores, and where it says something."""
        pieces = []
        for part in self._fitted:
            scores = part._score_in(part._kept(histories), context)
            says = np.isfinite(scores)
            pieces.append((blend.standardized(scores), says))
        return pieces

    def _score(self, histories: Interactions) -> Floats:
        return self._score_in(histories, {})

    def _score_in(self, histories: Interactions, context: Context) -> Floats:
        scores = np.empty((histories.n_users, self.n_items), dtype=np.float32)
        for rows in self._spans(histories.n_users):
            own = {name: value[rows] for name, value in context.items()}
            blended, says = _mixed(self._pieces(histories.rows(rows), own), self._weights)
            scores[rows] = np.where(says, blended, -np.inf)
        return scores

    def _facts(self) -> dict[str, Any]:
        parts = [part._facts() for part in self._fitted]
        return {**super()._facts(), "validation": self.validation, "parts": parts}

    def _restore_facts(self, facts: dict[str, Any]) -> None:
        super()._restore_facts(facts)
        self.validation = dict(facts["validation"])
        for part, own in zip(self._fitted, facts["parts"], strict=True):
            part._restore_facts(own)

    def _arrays(self) -> Arrays:
        own: Arrays = {"weights": self._weights}
        for name, part in zip(self.parts, self._fitted, strict=True):
            own[f"{name}.item_weights"] = part.item_weights
            own |= {f"{name}.model.{key}": array for key, array in part._arrays().items()}
        return own

    def _restore(self, arrays: Arrays) -> None:
        self._weights = arrays["weights"]
        if self._weights.shape != (len(self.parts),):
            raise ValueError(f"there are {self._weights.shape} weights for {len(self.parts)} parts")
        self._fitted = self._new_parts()
        for name, part in zip(self.parts, self._fitted, strict=True):
            part.item_weights = arrays[f"{name}.item_weights"]
            start = f"{name}.model."
            part._restore(
                {key.removeprefix(start): array for key, array in arrays.items() if key.startswith(start)}
            )


def _mixed(pieces: Sequence[Piece], weights: npt.NDArray[np.float64]) -> Piece:
    """Where no part with a weight says anything, neither does the blend."""
    blended, says = np.zeros_like(pieces[0][0]), np.zeros_like(pieces[0][1])
    for weight, (scores, known) in zip(weights, pieces, strict=True):
        if weight:
            blended += np.float32(weight) * scores
            says |= known
    return blended, says
