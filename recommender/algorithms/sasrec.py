"""Self-attention over the history: which item comes next."""

from typing import TYPE_CHECKING

from recommender.algorithms._base import gettext_noop
from recommender.algorithms._deep_sequential import SequentialRecommender

if TYPE_CHECKING:
    from torch import nn


class SasRec(SequentialRecommender):
    """Trained with the softmax over all items at every place of the history, not with one sampled negative:
    that alone lifts it above its original by a third.

    Sources: Kang and McAuley (2018), Self-Attentive Sequential Recommendation; the loss after Klenitskiy
    and Vasilev (2023), Turning Dross Into Gold Loss.
    """

    name = "sasrec"
    title = gettext_noop("SASRec (self-attention over the order)")

    def __init__(
        self,
        *,
        dimensions: int = 64,
        layers: int = 2,
        heads: int = 2,
        length: int = 100,
        dropout: float = 0.2,
        epochs: int = 100,
        patience: int = 5,
        batch_size: int = 32,
        learning_rate: float = 0.002,
        weight_decay: float = 0.01,
        max_seconds: float | None = None,
        seed: int = 0,
    ) -> None:
        self.dimensions = dimensions
        self.layers = layers
        self.heads = heads
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
        if layers < 1 or heads < 1 or dimensions % heads:
            raise ValueError("layers and heads must be positive, and heads divide dimensions")

    def _build(self, n_items: int) -> "nn.Module":
        from recommender.algorithms._deep_attention import Attention

        return Attention(
            n_items, dimensions=self.dimensions, length=self.length, layers=self.layers, heads=self.heads,
            dropout=self.dropout,
        )  # fmt: skip
