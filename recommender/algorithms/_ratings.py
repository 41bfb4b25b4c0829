"""What the models of explicit ratings share: a scale, and `predict`."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms._base import Recommender
from recommender.algorithms._interactions import Floats, Interactions, Ints


class RatingRecommender(Recommender):
    """Weights are ratings. Every pair counts, whatever its sign; a pair rated repeatedly has the mean.

    A plain history without ratings is taken as liked: rated at the top of the scale. The lists of such a
    model are ordered by predicted rating, which ranks far worse than the models of implicit feedback.
    """

    is_explicit = True
    lowest: float = 1.0
    highest: float = 5.0

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        """Expected rating of each pair (users[i], items[i]), float32[n], within the scale of the training
        data.

        A user or an item that was not in training gets what is known without it: the other's mean, at
        last the mean of all. Raises ValueError before `fit`, and for unequal lengths.
        """
        return self._on_scale(self._predict(*self._asked(users, items)))

    def _asked(self, users: npt.ArrayLike, items: npt.ArrayLike) -> tuple[Ints, Ints]:
        rows, columns = np.asarray(users, dtype=np.int64), np.asarray(items, dtype=np.int64)
        if rows.shape != columns.shape or rows.ndim != 1:
            raise ValueError(f"users has shape {rows.shape}, items {columns.shape}")
        self._trained()
        return rows, columns

    def _on_scale(self, rated: npt.NDArray[np.floating]) -> Floats:
        return np.asarray(np.clip(rated, self.lowest, self.highest), dtype=np.float32)

    def _kept(self, interactions: Interactions) -> Interactions:
        return interactions.averaged()

    def _liked(self, histories: Sequence[Sequence[int]]) -> Interactions:
        return super()._liked(histories).rated(self.highest)

    def _facts(self) -> dict[str, Any]:
        return {**super()._facts(), "lowest": self.lowest, "highest": self.highest}

    def _restore_facts(self, facts: dict[str, Any]) -> None:
        super()._restore_facts(facts)
        self.lowest, self.highest = float(facts["lowest"]), float(facts["highest"])

    def _note_scale(self, interactions: Interactions) -> None:
        """The scale is what was seen; a model calls this first when it learns."""
        if len(interactions.weights):
            self.lowest = float(interactions.weights.min())
            self.highest = float(interactions.weights.max())

    @abstractmethod
    def _predict(self, users: Ints, items: Ints) -> npt.NDArray[np.floating]:
        """Unclipped ratings for numbers that may lie outside of the training data."""
