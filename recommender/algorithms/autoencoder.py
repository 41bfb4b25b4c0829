"""A variational autoencoder over the items of a customer."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.algorithms._base import gettext_noop
from recommender.algorithms._deep import DeepRecommender
from recommender.algorithms._deep_bags import bags, row_batches
from recommender.algorithms._interactions import Interactions

if TYPE_CHECKING:
    from torch import Tensor, nn


class Autoencoder(DeepRecommender):
    """Mult-VAE: the history, with some of it dropped, through a narrow random code back to all of it, as a
    multinomial over all items.

    The weight of the Kullback-Leibler term grows over the first `annealing_epochs` to `kl_weight`.
    Source: Liang et al. (2018), Variational Autoencoders for Collaborative Filtering, equation 6 and
    section 2.2.2.
    """

    name = "autoencoder"
    title = gettext_noop("Mult-VAE (autoencoder)")

    def __init__(
        self,
        *,
        dimensions: int = 64,
        hidden: int = 256,
        dropout: float = 0.5,
        kl_weight: float = 0.2,
        annealing_epochs: int = 40,
        epochs: int = 200,
        patience: int = 15,
        batch_size: int = 100,
        learning_rate: float = 0.001,
        weight_decay: float = 0.01,
        max_seconds: float | None = None,
        seed: int = 0,
    ) -> None:
        self.dimensions = dimensions
        self.hidden = hidden
        self.dropout = dropout
        self.kl_weight = kl_weight
        self.annealing_epochs = annealing_epochs
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_seconds = max_seconds
        self.seed = seed
        self._check()
        if hidden < 1 or kl_weight < 0 or annealing_epochs < 0:
            raise ValueError("hidden must be positive, kl_weight and annealing_epochs not negative")

    def _item_width(self) -> int:
        # With the logits of a batch, their softmax and its gradient.
        return 2 * self.hidden + self.batch_size

    def _build(self, n_items: int) -> "nn.Module":
        from recommender.algorithms._deep_variational import Variational

        return Variational(n_items, dimensions=self.dimensions, hidden=self.hidden, dropout=self.dropout)

    def _losses(
        self, network: "nn.Module", histories: Interactions, random: np.random.Generator, epoch: int
    ) -> Iterator[tuple[float, "Tensor"]]:
        for share, rows in row_batches(histories, self.batch_size, 1, random):
            passed = (epoch + share) / self.annealing_epochs if self.annealing_epochs else 1.0
            yield share, network.loss(*bags(rows).tensors(), self.kl_weight * min(passed, 1.0))  # type: ignore[operator]

    def _rank(self, network: "nn.Module", histories: Interactions) -> "Tensor":
        found: Tensor = network(*bags(histories).tensors())
        return found
