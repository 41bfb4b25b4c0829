"""The same for everyone: what is bought most just now."""

import numpy as np
import numpy.typing as npt

from recommender.algorithms._base import Arrays, Recommender, Training, gettext_noop
from recommender.algorithms._interactions import Floats, Interactions

SECONDS_PER_DAY = 86_400.0


class Trending(Recommender):
    """Score: the sum of the item's weights over all users, each halved for every `half_life_days` of age.

    Age counts from the newest event of the training data: at any later moment all scores have shrunk by the
    same factor, so the order stays. A pair with several events spreads its weight evenly between its first
    and its last one. Without timestamps nothing is older than anything else: the order is that of `popular`.
    """

    name = "trending"
    title = gettext_noop("Trending now")
    needs_history = False
    search_space = {"half_life_days": ("log", 2.0, 180.0)}

    def __init__(self, *, half_life_days: float = 14.0) -> None:
        if not half_life_days > 0:
            raise ValueError("half_life_days must be positive")
        self.half_life_days = half_life_days

    def _learn(self, interactions: Interactions, training: Training) -> None:
        fresh = interactions.weights * self._freshness(interactions)
        self._scores = np.bincount(interactions.items, weights=fresh, minlength=interactions.n_items).astype(
            np.float32
        )
        training.progress(1.0)

    def _freshness(self, interactions: Interactions) -> npt.NDArray[np.float64]:
        """Mean of 2^(−age / half-life) over the events of each pair: a geometric series."""
        if interactions.timestamps is None:
            return np.ones(len(interactions.items))
        half_life = self.half_life_days * SECONDS_PER_DAY
        newest = 0.5 ** ((self.trained_until - interactions.timestamps) / half_life)
        if interactions.counts is None or interactions.first_timestamps is None:
            return np.asarray(newest)
        counts = interactions.counts
        gaps = (interactions.timestamps - interactions.first_timestamps) / np.maximum(counts - 1, 1)
        ratio = 0.5 ** (gaps / half_life)
        same = ratio > 1 - 1e-12
        series = (1 - ratio**counts) / np.where(same, 1.0, (1 - ratio) * counts)
        return np.asarray(newest * np.where(same, 1.0, series))

    def _score(self, histories: Interactions) -> Floats:
        # An item nobody ever took is not trending; one that everybody forgot still may fill a list.
        scores = np.where(self.item_weights > 0, self._scores, -np.inf).astype(np.float32)
        return np.tile(scores, (histories.n_users, 1))

    def _arrays(self) -> Arrays:
        return {"scores": self._scores}

    def _restore(self, arrays: Arrays) -> None:
        self._scores = arrays["scores"]
        if self._scores.shape != (self.n_items,):
            raise ValueError(f"the scores have shape {self._scores.shape}")
