"""Two towers: a small network makes a vector of the history, its product with an item's is the score."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.algorithms._base import gettext_noop
from recommender.algorithms._deep import DeepRecommender
from recommender.algorithms._deep_bags import bags, row_batches, split_bags
from recommender.algorithms._interactions import Interactions

if TYPE_CHECKING:
    from torch import Tensor, nn


class Mlp(DeepRecommender):
    """Part of each history goes in, the rest is foretold by the softmax over all items.

    `held_share` of each history is foretold, `hidden` is the width of the layer between. A customer is what
    the history says, not a number: new ones need no refit.
    Sources: Covington, Adams and Sargin (2016), section 3; the multilayer perceptron instead of a plain
    product as in He et al. (2017), Neural Collaborative Filtering, but on the user's side only, after
    Rendle et al. (2020), who show that the product itself had better stay.
    """

    name = "mlp"
    title = gettext_noop("Two-tower network (MLP)")

    def __init__(
        self,
        *,
        dimensions: int = 64,
        hidden: int = 128,
        held_share: float = 0.3,
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
        self.held_share = held_share
        self.dropout = dropout
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_seconds = max_seconds
        self.seed = seed
        self._check()
        if hidden < 1 or not 0 < held_share < 1:
            raise ValueError("hidden must be positive, held_share lies between 0 and 1")

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

        for share, rows in row_batches(histories, self.batch_size, 2, random):
            given, wanted = split_bags(rows, self.held_share, random)
            yield share, bag_loss(network(*given.tensors()), *wanted.tensors())

    def _rank(self, network: "nn.Module", histories: Interactions) -> "Tensor":
        found: Tensor = network(*bags(histories).tensors())
        return found
