"""A recurrent network over the history: which item comes next."""

from typing import TYPE_CHECKING

from recommender.algorithms._base import gettext_noop
from recommender.algorithms._deep_sequential import SequentialRecommender

if TYPE_CHECKING:
    from torch import nn


class Gru(SequentialRecommender):
    """A gated recurrent unit whose state, after each item, foretells the next one among all items.

    Slower to train than sasrec; its time per history grows only with the length.
    Source: Hidasi et al. (2016), Session-based Recommendations with Recurrent Neural Networks (GRU4Rec),
    here with the softmax over all items.
    """

    name = "gru"
    title = gettext_noop("GRU4Rec (recurrent network over the order)")

    def __init__(
        self,
        *,
        dimensions: int = 64,
        layers: int = 1,
        length: int = 100,
        dropout: float = 0.2,
        epochs: int = 100,
        patience: int = 5,
        batch_size: int = 32,
        learning_rate: float = 0.003,
        weight_decay: float = 0.01,
        max_seconds: float | None = None,
        seed: int = 0,
    ) -> None:
        self.dimensions = dimensions
        self.layers = layers
        self.length = length
        self.dropout = dropout
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_seconds = max_seconds
        self.seed = seed
        self._check()
        if layers < 1:
            raise ValueError("layers must be positive")

    def _build(self, n_items: int) -> "nn.Module":
        from recommender.algorithms._deep_recurrent import Recurrent

        return Recurrent(n_items, dimensions=self.dimensions, layers=self.layers, dropout=self.dropout)
