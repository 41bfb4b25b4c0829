"""The network of Mult-VAE. Imports torch: to be imported only inside functions, after `load_torch`."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.algorithms._deep_layers import normalized_bags, rows_of


class Variational(nn.Module):
    """items → hidden (tanh) → mean and log variance of the code → hidden (tanh) → items."""

    def __init__(self, n_items: int, *, dimensions: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        # The first layer as a table: a history is a sum of a few of its rows.
        self.into = nn.Embedding(n_items, hidden)
        self.into_bias = nn.Parameter(torch.zeros(hidden))
        self.code = nn.Linear(hidden, 2 * dimensions)
        self.out_of = nn.Linear(dimensions, hidden)
        self.items = nn.Linear(hidden, n_items)
        nn.init.xavier_normal_(self.into.weight)

    def forward(self, items: Tensor, starts: Tensor) -> Tensor:
        mean, _ = self._encode(items, starts)
        return self._decode(mean)

    def loss(self, items: Tensor, starts: Tensor, kl_weight: float) -> Tensor:
        """Mean over rows of −log likelihood + kl_weight × divergence from the standard normal."""
        mean, log_variance = self._encode(items, starts)
        code = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        logs = functional.log_softmax(self._decode(code), dim=1)
        likelihood = logs[rows_of(items, starts), items].sum() / len(starts)
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1).mean()
        return kl_weight * divergence - likelihood

    def _encode(self, items: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
        bag = normalized_bags(self.into.weight, items, starts, dropout=self.dropout if self.training else 0.0)
        mean, log_variance = self.code(torch.tanh(bag + self.into_bias)).chunk(2, dim=1)
        return mean, log_variance

    def _decode(self, code: Tensor) -> Tensor:
        found: Tensor = self.items(torch.tanh(self.out_of(code)))
        return found
