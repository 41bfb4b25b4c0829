"""What every recommender can do; an algorithm fills in five small methods."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from recommender.algorithms._features import ItemFeatures
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._memory import NotEnoughMemoryError as NotEnoughMemoryError
from recommender.algorithms._memory import refuse_beyond
from recommender.algorithms._ranking import Exclude, allowed_mask, excluded_pairs, top_k
from recommender.algorithms._stored import Arrays as Arrays
from recommender.algorithms._stored import Stored
from recommender.algorithms._training import Context as Context
from recommender.algorithms._training import MissingExtraError as MissingExtraError
from recommender.algorithms._training import Progress as Progress
from recommender.algorithms._training import Training as Training
from recommender.algorithms._training import rows_of

# A block of scores is at most 32 MB, so that memory does not grow with the number of users asked for.
BLOCK_SCORES = 8_000_000


def gettext_noop(text: str) -> str:
    """Marks a title for translation; it is translated where it is shown."""
    return text


class Recommender(Stored):
    """Fit once, then rank items for known users or for any history.

    Parameters are keyword arguments of the constructor, kept under their own names. Only pairs with a
    positive weight count. A user without history gets no items from a personal model: the caller falls
    back knowingly. Known users are ranked from their histories like new ones: what is judged is what is
    served.

    `needs_history`: says nothing without one. `is_explicit`: learns from ratings (see `_ratings`);
    of some a parameter decides, so ask the model and not its class.
    `uses_features`: learns from what items are, so that it can recommend an item nobody took yet.
    `uses_context`: learns from context columns, so it keeps the events with them.
    `extra`: the optional packages it needs, empty for none. `instead`: what to take on data too big for it.
    `repeats_by_nature`: recommends what a user already has, so it is judged with repeats. `search_space`:
    what tuning may try, by parameter: ("float" | "log" | "int" | "log_int", lowest, highest) or
    ("choice", value, …).
    """

    title: ClassVar[str]
    needs_history: ClassVar[bool] = True
    uses_features: ClassVar[bool] = False
    uses_context: ClassVar[bool] = False
    extra: ClassVar[str] = ""
    instead: ClassVar[str] = "popular"
    repeats_by_nature: ClassVar[bool] = False
    search_space: ClassVar[Mapping[str, tuple[Any, ...]]] = {}

    is_explicit: bool = False
    memory_limit_mib: int | None = None

    def fit(
        self,
        interactions: Interactions,
        *,
        features: ItemFeatures | None = None,
        progress: Progress | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Learns from users × items (see Training for the rest, all optional). Answers itself.

        Raises NotEnoughMemoryError before starting, where the need is known beforehand, and
        MissingExtraError without the packages of its extra.
        """
        histories = self._kept(interactions)
        if features is not None:
            features.check(histories.n_items)
        sizes = (*histories.shape, len(histories.items))
        refuse_beyond(self.memory_limit_mib, self.needed_bytes(*sizes), sizes, self.name, self.instead)
        self.item_weights = np.bincount(
            histories.items, weights=histories.weights, minlength=histories.n_items
        ).astype(np.float32)
        if histories.timestamps is not None and len(histories.timestamps):
            self.trained_until = int(histories.timestamps.max())
        self._learn(histories, Training(features, progress or (lambda share: None), checkpoint))
        self._histories = histories if self.uses_context else replace(histories, events={})
        return self

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        """Memory a fit takes above its data, about; 0 where that is never much. `fit` refuses by it."""
        return 0

    def recommend(
        self,
        users: npt.ArrayLike,
        k: int,
        *,
        exclude: Exclude = None,
        allowed: npt.ArrayLike | None = None,
        context: Context | None = None,
    ) -> tuple[Ints, Floats]:
        """The k best items for each user of the training data: item numbers int[n, k], scores float[n, k].

        −1 (score −inf) where a list is shorter, and for unknown users of a personal model. What a user
        already has is not left out by itself: pass `exclude=interactions`. `exclude` is an Interactions
        (rows by user), one sequence of items per asked user, or one flat sequence for all; `allowed` item
        numbers or a mask. `context` matters to models that learned from context columns, and as
        `now` (seconds) to those that know time; the default is the end of the training data.
        """
        asked = np.atleast_1d(np.asarray(users, dtype=np.int64))
        if isinstance(exclude, Interactions):
            exclude = exclude.rows(asked)
        histories = self._trained().rows(asked)
        return self.recommend_for(histories, k, exclude=exclude, allowed=allowed, context=context)

    def recommend_for(
        self,
        histories: Interactions | Sequence[Sequence[int]],
        k: int,
        *,
        exclude: Exclude = None,
        allowed: npt.ArrayLike | None = None,
        context: Context | None = None,
    ) -> tuple[Ints, Floats]:
        """As `recommend`, for any histories (fold-in, no refit); an Interactions in `exclude` goes row by
        row. A plain sequence of item numbers is taken as done just now, oldest first.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, is {k}")
        rows = self._history(histories)
        pairs = excluded_pairs(exclude, n=rows.n_users, n_items=self.n_items)
        mask = allowed_mask(allowed, n_items=self.n_items)
        items = np.full((rows.n_users, k), -1, dtype=np.int64)
        scores = np.full((rows.n_users, k), -np.inf, dtype=np.float32)
        for start, scored in self._blocks(rows, context):
            stop = start + len(scored)
            inside = slice(*np.searchsorted(pairs[0], [start, stop]))
            scored[pairs[0][inside] - start, pairs[1][inside]] = -np.inf
            items[start:stop], scores[start:stop] = top_k(scored, k, allowed=mask)
        return items, scores

    def score_blocks(
        self, histories: Interactions | Sequence[Sequence[int]], *, context: Context | None = None
    ) -> Iterator[tuple[int, Floats]]:
        """(first row, float32[some rows, n_items]) for those who choose by rules of their own; −inf where
        there is nothing to say. A block may be written to.
        """
        return self._blocks(self._history(histories), context)

    def _blocks(self, rows: Interactions, context: Context | None) -> Iterator[tuple[int, Floats]]:
        step = max(1, BLOCK_SCORES // max(self.n_items, 1))
        for start in range(0, rows.n_users if self.n_items else 0, step):
            stop = min(start + step, rows.n_users)
            block = rows if stop - start == rows.n_users else rows.rows(np.arange(start, stop))
            scored = self._score_in(block, rows_of(context, start, stop, rows.n_users))
            if self.needs_history:
                scored[np.diff(block.indptr) == 0] = -np.inf
            yield start, scored

    def explain(
        self, user_or_history: int | Sequence[int] | Interactions, item: int, n: int = 10
    ) -> list[tuple[int, float]]:
        """The n items of the history that speak most for `item`, with their shares of its score, best
        first.

        Over the whole history the shares add up to the score. Empty where the model does not reason that
        way.
        """
        if isinstance(user_or_history, int | np.integer):
            history = self._trained().rows([int(user_or_history)])
        elif isinstance(user_or_history, Interactions):
            history = self._history(user_or_history)
        else:
            history = self._history([user_or_history])
        shares = self.contributions(history, [item])[0]
        order = np.argsort(-shares, kind="stable")[:n]
        return [(int(history.items[at]), float(shares[at])) for at in order]

    def contributions(self, history: Interactions, targets: Sequence[int]) -> npt.NDArray[np.float64]:
        """Shares of the score, float64[len(targets), length of the one history]; no columns without
        reasons.
        """
        if history.n_users != 1:
            raise ValueError(f"explaining takes one history, got {history.n_users}")
        wanted = np.asarray(targets, dtype=np.int64)
        if len(wanted) and (wanted.min() < 0 or wanted.max() >= self.n_items):
            raise ValueError(f"item numbers are 0 to {self.n_items - 1}")
        history = self._kept(history)
        if not len(history.items):
            return np.zeros((len(wanted), 0))
        return self._contributions(history.items, history.weights.astype(np.float64), wanted)

    def reasons(self, histories: Interactions, targets: Ints) -> Ints:
        """For each target the item of its row's history that speaks most for it, int64[n, k].

        `targets` int64[n, k] item numbers, −1 for none. −1 where nothing speaks for a target but itself, and
        where the model does not reason that way.
        """
        rows = self._history(histories)
        if targets.shape[:1] != (rows.n_users,):
            raise ValueError(f"targets has {len(targets)} rows for {rows.n_users} histories")
        found = np.full(targets.shape, -1, dtype=np.int64)
        self._find_reasons(rows, targets, found)
        return found

    def item_vectors(self) -> Floats | None:
        """float32[n_items, some]: those of one taste point the same way. None where it has none."""
        return None

    def embeddings(self, histories: Interactions) -> tuple[Floats, Floats] | None:
        """Of these histories float32[n, f] and of the items float32[n_items, f]: a row's products with
        all items are its scores, up to what is the same for every row or item. None where it has no factors.
        """
        return None

    def _history(self, histories: Interactions | Sequence[Sequence[int]]) -> Interactions:
        if not isinstance(histories, Interactions):
            histories = self._liked(histories)
        if histories.n_items != self.n_items:
            raise ValueError(f"the histories know {histories.n_items} items, the model {self.n_items}")
        return self._kept(histories)

    def _liked(self, histories: Sequence[Sequence[int]]) -> Interactions:
        return Interactions.from_histories(histories, n_items=self.n_items, until=self.trained_until)

    def _kept(self, interactions: Interactions) -> Interactions:
        """The pairs that count."""
        return interactions.positive()

    @abstractmethod
    def _learn(self, interactions: Interactions, training: Training) -> None:
        """Sets the model's arrays from the pairs that count."""

    @abstractmethod
    def _score(self, histories: Interactions) -> Floats:
        """New array float32[n, n_items]; −inf for items the model has nothing to say about."""

    def _score_in(self, histories: Interactions, context: Context) -> Floats:
        """As `_score`, in a context whose values are arrays of one entry per history."""
        return self._score(histories)

    def _contributions(
        self, items: Ints, weights: npt.NDArray[np.float64], targets: Ints
    ) -> npt.NDArray[np.float64]:
        """float64[len(targets), len(items)]; a model that cannot explain its scores is content with
        none.
        """
        return np.zeros((len(targets), 0))

    def _find_reasons(self, rows: Interactions, targets: Ints, found: Ints) -> None:
        """Fills `found` one history after the other; a model that can do many at once is much faster."""
        for row, wanted in enumerate(targets):
            items, weights = rows.row(row)
            places = np.flatnonzero(wanted >= 0)
            if not len(items) or not len(places):
                continue
            shares = self._contributions(items, weights.astype(np.float64), wanted[places])
            if not shares.shape[1]:
                return
            shares = np.where(items == wanted[places, None], -np.inf, shares)
            best = np.argmax(shares, axis=1)
            speaks = shares[np.arange(len(best)), best] > 0
            found[row, places[speaks]] = items[best[speaks]]
