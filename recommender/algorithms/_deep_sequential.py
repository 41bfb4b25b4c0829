"""Models that read a history in its order and foretell what comes next."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.algorithms._deep import DeepRecommender
from recommender.algorithms._deep_sequences import Batch, batches, latest, padded, windows
from recommender.algorithms._interactions import Interactions

if TYPE_CHECKING:
    from torch import Tensor, nn


class SequentialRecommender(DeepRecommender):
    """The network answers, for each place of a right-padded batch, a vector that may depend on this place
    and those before it; its softmax with the item vectors foretells the next item, at every place at once.

    `length`: so many latest items are read. Longer histories are learned from in random windows.
    """

    length: int

    def _check(self) -> None:
        super()._check()
        if self.length < 1:
            raise ValueError("length must be positive")

    def _item_width(self) -> int:
        return self.dimensions + 1

    def _losses(
        self, network: "nn.Module", histories: Interactions, random: np.random.Generator, epoch: int
    ) -> Iterator[tuple[float, "Tensor"]]:
        import torch

        from recommender.algorithms._deep_layers import softmax_loss

        starts, lengths, items = windows(histories, self.length + 1, random)
        useful = np.flatnonzero(lengths >= 2)
        parts = batches(lengths[useful], self.batch_size, random)
        for number, part in enumerate(parts):
            rows = useful[part]
            batch = padded(items, starts[rows], lengths[rows])
            inputs = Batch(batch.items[:, :-1], batch.lengths - 1)
            real = np.arange(inputs.items.shape[1]) < inputs.lengths[:, None]
            hidden = self._read(network, inputs)[torch.from_numpy(real)]
            targets = torch.from_numpy(batch.items[:, 1:][real])
            loss = softmax_loss(hidden, network.items.weight, network.bias, targets)  # type: ignore
            yield (number + 1) / len(parts), loss

    def _rank(self, network: "nn.Module", histories: Interactions) -> "Tensor":
        import torch

        batch = latest(histories, self.length)
        hidden = self._read(network, batch)
        ends = torch.from_numpy(np.maximum(batch.lengths - 1, 0))
        last = hidden[torch.arange(len(ends)), ends]
        return torch.addmm(network.bias, last, network.items.weight.T)  # type: ignore

    def _read(self, network: "nn.Module", batch: Batch) -> "Tensor":
        """float32[n, longest, dimensions]."""
        import torch

        found: Tensor = network(torch.from_numpy(batch.items), torch.from_numpy(batch.lengths))
        return found

    @abstractmethod
    def _build(self, n_items: int) -> "nn.Module":
        """With `items` (an embedding), `bias`, and forward(items, lengths)."""
