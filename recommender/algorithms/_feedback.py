"""What the models share that learn from ratings or from implicit feedback, as their parameters say."""

from collections.abc import Sequence

import numpy.typing as npt

from recommender.algorithms._base import Recommender
from recommender.algorithms._interactions import Floats, Interactions
from recommender.algorithms._ratings import RatingRecommender


class EitherRecommender(RatingRecommender):
    """`is_explicit` belongs to the instance: set it in the constructor, before anything else.

    Explicit: as every model of ratings. Else weights are amounts, only positive pairs count, and there is
    nothing to predict.
    """

    is_explicit: bool = False

    def predict(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        """As RatingRecommender.predict; raises ValueError where the parameters make it a ranker only."""
        self._refuse_without_ratings()
        return super().predict(users, items)

    def _refuse_without_ratings(self) -> None:
        if not self.is_explicit:
            raise ValueError(
                f"{self.name} with {self.parameters} learns from amounts and predicts no ratings"
            )

    def _kept(self, interactions: Interactions) -> Interactions:
        return super()._kept(interactions) if self.is_explicit else interactions.positive()

    def _liked(self, histories: Sequence[Sequence[int]]) -> Interactions:
        liked = Recommender._liked(self, histories)
        return liked.rated(self.highest) if self.is_explicit else liked
