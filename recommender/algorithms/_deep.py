"""What the deep models share: a network that is trained in epochs, kept as plain arrays, and asked in blocks.

torch is the optional extra `deep`. Without it the models are listed and can be loaded, but neither fitted
nor asked.
"""

import os
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.algorithms._base import BLOCK_SCORES, Arrays, Recommender, Training
from recommender.algorithms._deep_checkpoint import fingerprint
from recommender.algorithms._deep_sequences import FEWEST_JUDGES, Held, hold_out, quality
from recommender.algorithms._deep_torch import as_numpy, load_torch, put_weights, quiet_torch
from recommender.algorithms._deep_training import Fit, Plan, train
from recommender.algorithms._interactions import Floats, Interactions

if TYPE_CHECKING:
    from torch import Tensor, nn

# Epochs are judged by as many users at most; more would cost time and tell little more.
JUDGES = 1000
# Weights, gradients, two moments, the average, the best, and copies while an epoch is judged and written.
COPIES_OF_WEIGHTS = 10
# So many rows are worth a second thread.
ROWS_FOR_THREADS = 64


class DeepRecommender(Recommender):
    """A subclass names its network, one epoch of losses, and the scores of histories.

    Parameters all of them have: `dimensions` of the vectors; `epochs` at most, `patience` of them without
    gain on the latest item of a sample of users, which is held out for that; `max_seconds` of training
    (None: no limit); `batch_size` users per step; `learning_rate`, `weight_decay` (AdamW), `dropout`.
    Deterministic for a seed on one kind of machine, unless the time runs out.
    """

    extra = "deep"
    instead = "als or item_knn"
    search_space = {
        "dimensions": ("choice", 32, 64, 128),
        "dropout": ("float", 0.1, 0.6),
        "learning_rate": ("log", 0.0005, 0.01),
    }

    dimensions: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    dropout: float
    patience: int
    max_seconds: float | None
    seed: int

    _weights: Arrays
    _network: "nn.Module | None" = None

    def _check(self) -> None:
        """Raises ValueError for parameters that make no sense."""
        if min(self.dimensions, self.epochs, self.batch_size) < 1 or self.learning_rate <= 0:
            raise ValueError("dimensions, epochs, batch_size and learning_rate must be positive")
        if self.weight_decay < 0 or self.patience < 0 or not 0 <= self.dropout < 1:
            raise ValueError("weight_decay and patience must not be negative, dropout lies in [0, 1)")
        if self.max_seconds is not None and self.max_seconds <= 0:
            raise ValueError("max_seconds must be positive, or None for no limit")

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        judged = 3 * min(JUDGES * n_items, max(BLOCK_SCORES, FEWEST_JUDGES * n_items))
        return 4 * (COPIES_OF_WEIGHTS * self._item_width() * n_items + judged)

    def _item_width(self) -> int:
        """How many weights each item has."""
        return 2 * self.dimensions

    def _learn(self, interactions: Interactions, training: Training) -> None:
        load_torch()
        self._network = None
        if not interactions.n_items:
            self._weights = {}
            training.progress(1.0)
            return
        judges = min(JUDGES, max(FEWEST_JUDGES, BLOCK_SCORES // interactions.n_items))
        rest, held = hold_out(interactions, n_users=judges, seed=self.seed)
        with quiet_torch(self.seed):
            network = self._build(interactions.n_items)
        of = ""
        if training.checkpoint is not None:
            of = fingerprint(self.name, self.parameters, interactions, training.features)
        fit = Fit(
            network=network,
            losses=lambda network, random, epoch: self._losses(network, rest, random, epoch),
            judge=lambda network: self._judge(network, held),
            progress=training.progress,
            checkpoint=training.checkpoint,
            of=of,
        )
        self._weights = train(fit, self._plan())

    def _plan(self) -> Plan:
        return Plan(
            self.epochs, self.learning_rate, self.weight_decay, self.patience, self.max_seconds, self.seed
        )

    def _judge(self, network: "nn.Module", held: Held | None) -> float | None:
        if held is None:
            return None
        with quiet_torch() as torch, torch.inference_mode():
            return float(quality(as_numpy(self._rank(network, held.histories)), held).mean())

    def _score(self, histories: Interactions) -> Floats:
        if not self._weights:
            load_torch()
            return np.full(histories.shape, -np.inf, dtype=np.float32)
        threads = 1 if histories.n_users < ROWS_FOR_THREADS else os.cpu_count() or 1
        with quiet_torch(threads=threads) as torch, torch.inference_mode():
            return as_numpy(self._rank(self._ready(), histories))

    def _ready(self) -> "nn.Module":
        """The network for asking, made from the arrays when it is first needed in a process."""
        if self._network is None:
            network = self._build(self.n_items)
            put_weights(network, self._weights)
            network.eval()
            self._network = network
        return self._network

    def _arrays(self) -> Arrays:
        return self._weights

    def _restore(self, arrays: Arrays) -> None:
        self._weights = arrays

    @abstractmethod
    def _build(self, n_items: int) -> "nn.Module":
        """A network with fresh weights; torch's generator is seeded."""

    @abstractmethod
    def _losses(
        self, network: "nn.Module", histories: Interactions, random: np.random.Generator, epoch: int
    ) -> Iterator[tuple[float, "Tensor"]]:
        """One epoch: the loss of each batch, and the share of the epoch done after it."""

    @abstractmethod
    def _rank(self, network: "nn.Module", histories: Interactions) -> "Tensor":
        """Scores float32[n, n_items] by a network in evaluation mode; any for an empty history."""
