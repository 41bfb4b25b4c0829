"""Two towers: a small network makes a vector of the history, its product with an item's is the score."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.algorithms._base import gettext_noop
from recommender.algorithms._deep import DeepRecommender
from recommender.algorithms._deep_bags import before_and_after, latest_bags, row_batches
from recommender.algorithms._interactions import Interactions

if TYPE_CHECKING:
    from torch import Tensor, nn


class Mlp(DeepRecommender):
    """The latest items go in, as a bag without order; what is taken after them is foretold by the softmax
    over all items.

    So many latest items as `length` says are read. `ahead` items after them are foretold, from `moments` of
    each history in an epoch: what came later is never used to foretell what came before, which is what the
    model will be asked. `hidden` is the width of the layer between. A customer is what the history says,
    not a number: new ones need no refit.
    Sources: Covington, Adams and Sargin (2016), section 3.4 for the latest items and the rest to be
    foretold; the multilayer perceptron instead of a plain product as in He et al. (2017), Neural
    Collaborative Filtering, but on the user's side only, after Rendle et al. (2020), who show that the
    product itself had better stay.
    """

    name = "mlp"
    title = gettext_noop("Two-tower network (MLP)")

    def __init__(
        self,
        *,
        dimensions: int = 64,
        hidden: int = 128,
        length: int = 50,
        ahead: int = 10,
        moments: int = 4,
        dropout: float = 0.3,
        epochs: int = 200,
        patience: int = 10,
        batch_size: int = 64,
        learning_rate: float = 0.002,
        weight_decay: float = 0.01,
        max_seconds: float | None = None,
        seed: int = 0,
    ) -> None:
        self.dimensions = dimensions
        self.hidden = hidden
        self.length = length
        self.ahead = ahead
        self.moments = moments
        self.dropout = dropout
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_seconds = max_seconds
        self.seed = seed
        self._check()
        if min(hidden, length, ahead, moments) < 1:
            raise ValueError("hidden, length, ahead and moments must be positive")

    def _item_width(self) -> int:
        # With the logits of a batch, their softmax and its gradient.
        return 2 * self.dimensions + self.batch_size

    def _build(self, n_items: int) -> "nn.Module":
        from recommender.algorithms._deep_towers import TwoTowers

        return TwoTowers(n_items, dimensions=self.dimensions, hidden=self.hidden, dropout=self.dropout)

    def _losses(
        self, network: "nn.Module", histories: Interactions, random: np.random.Generator, epoch: int
    ) -> Iterator[tuple[float, "Tensor"]]:
        from recommender.algorithms._deep_layers import bag_loss

        for done in range(self.moments):
            for share, rows in row_batches(histories, self.batch_size, 2, random):
                given, wanted = before_and_after(rows, self.length, self.ahead, random)
                yield (done + share) / self.moments, bag_loss(network(*given.tensors()), *wanted.tensors())

    def _rank(self, network: "nn.Module", histories: Interactions) -> "Tensor":
        found: Tensor = network(*latest_bags(histories, self.length).tensors())
        return found
