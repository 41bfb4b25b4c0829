"""Two towers trained by contrast: a customer's own items are drawn near, those of others in the batch pushed
away.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.algorithms._base import gettext_noop
from recommender.algorithms._deep import DeepRecommender
from recommender.algorithms._deep_bags import bags
from recommender.algorithms._deep_pools import pools
from recommender.algorithms._interactions import Interactions

if TYPE_CHECKING:
    from torch import Tensor, nn


class Contrastive(DeepRecommender):
    """InfoNCE over the items of the batch: a step costs the same whatever the number of items, so this is
    the deep model for large catalogs.

    The score is the cosine of two unit vectors over `temperature`. Of each history `held_share` is foretold,
    at most `per_user` items of it in an epoch. How often an item comes up as a negative is taken off
    its logit. Sources: van den Oord, Li and Vinyals (2018), equation 4; Yi et al. (2019), Sampling-Bias-
    Corrected Neural Modeling, section 3.
    """

    name = "contrastive"
    title = gettext_noop("Contrastive two-tower network (InfoNCE)")

    def __init__(
        self,
        *,
        dimensions: int = 64,
        hidden: int = 128,
        temperature: float = 0.1,
        held_share: float = 0.3,
        per_user: int = 8,
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
        self.temperature = temperature
        self.held_share = held_share
        self.per_user = per_user
        self.dropout = dropout
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_seconds = max_seconds
        self.seed = seed
        self._check()
        if hidden < 1 or per_user < 1 or temperature <= 0 or not 0 < held_share < 1:
            raise ValueError(
                "hidden, per_user and temperature must be positive, held_share lies between 0 and 1"
            )

    def _build(self, n_items: int) -> "nn.Module":
        from recommender.algorithms._deep_towers import CosineTowers

        return CosineTowers(
            n_items, dimensions=self.dimensions, hidden=self.hidden, dropout=self.dropout,
            temperature=self.temperature,
        )  # fmt: skip

    def _losses(
        self, network: "nn.Module", histories: Interactions, random: np.random.Generator, epoch: int
    ) -> Iterator[tuple[float, "Tensor"]]:
        import torch

        from recommender.algorithms._deep_layers import pool_loss

        drawn = pools(
            histories, size=self.batch_size, share=self.held_share, per_user=self.per_user, extra=0,
            random=random,
        )  # fmt: skip
        for share, pool in drawn:
            logits = network(*pool.given.tensors(), torch.from_numpy(pool.items))
            logits = logits - torch.from_numpy(pool.log_chances)
            own, rows, places = map(torch.from_numpy, (pool.own, pool.rows, pool.places))
            yield share, pool_loss(logits, own, rows, places)

    def _rank(self, network: "nn.Module", histories: Interactions) -> "Tensor":
        import torch

        found: Tensor = network(*bags(histories).tensors(), torch.arange(self.n_items))
        return found
