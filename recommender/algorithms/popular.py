"""The same for everyone: what was bought most. The baseline every personal model has to beat."""

import numpy as np

from recommender.algorithms._base import Arrays, Recommender, Training, gettext_noop
from recommender.algorithms._interactions import Floats, Interactions


class Popular(Recommender):
    """Score: the sum of the item's weights over all users."""

    name = "popular"
    title = gettext_noop("Most popular")
    needs_history = False

    def _learn(self, interactions: Interactions, training: Training) -> None:
        training.progress(1.0)

    def _score(self, histories: Interactions) -> Floats:
        # An item nobody ever took is not popular.
        scores = np.where(self.item_weights > 0, self.item_weights, -np.inf).astype(np.float32)
        return np.tile(scores, (histories.n_users, 1))

    def _arrays(self) -> Arrays:
        return {}

    def _restore(self, arrays: Arrays) -> None:
        return
