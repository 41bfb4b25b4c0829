"""Networks with one tower for the user and one for the item. Imports torch: to be imported only inside
functions, after `load_torch`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.algorithms._deep_layers import normalized_bags


class UserTower(nn.Module):
    """The bag of a history's item vectors, and what a layer adds to it."""

    def __init__(self, n_items: int, *, dimensions: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.into = nn.Embedding(n_items, dimensions)
        self.wide = nn.Linear(dimensions, hidden)
        self.narrow = nn.Linear(hidden, dimensions)
        nn.init.normal_(self.into.weight, std=0.1)

    def forward(self, items: Tensor, starts: Tensor) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        bag = normalized_bags(self.into.weight, items, starts, dropout=dropout)
        wide = functional.dropout(functional.gelu(self.wide(bag)), self.dropout, self.training)
        found: Tensor = bag + self.narrow(wide)
        return found


class TwoTowers(nn.Module):
    """Scores of all items: user · item + bias."""

    def __init__(self, n_items: int, *, dimensions: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.user = UserTower(n_items, dimensions=dimensions, hidden=hidden, dropout=dropout)
        self.items = nn.Linear(dimensions, n_items)
        nn.init.normal_(self.items.weight, std=0.1)

    def forward(self, items: Tensor, starts: Tensor) -> Tensor:
        found: Tensor = self.items(self.user(items, starts))
        return found


class CosineTowers(nn.Module):
    """The cosine of user and item, over a temperature."""

    def __init__(
        self, n_items: int, *, dimensions: int, hidden: int, dropout: float, temperature: float
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.user = UserTower(n_items, dimensions=dimensions, hidden=hidden, dropout=dropout)
        self.items = nn.Embedding(n_items, dimensions)
        nn.init.normal_(self.items.weight, std=0.1)

    def forward(self, items: Tensor, starts: Tensor, pool: Tensor) -> Tensor:
        """float32[n, len(pool)]."""
        users = functional.normalize(self.user(items, starts), dim=1)
        return users @ functional.normalize(self.items(pool), dim=1).T / self.temperature


class PictureTowers(nn.Module):
    """User · item, where an item is a vector of its own plus what a small convolutional network sees."""

    def __init__(self, n_items: int, *, dimensions: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.user = UserTower(n_items, dimensions=dimensions, hidden=hidden, dropout=dropout)
        self.items = nn.Embedding(n_items, dimensions)
        self.eye = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.GELU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.GELU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.GELU(),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(256, dimensions),
        )  # fmt: skip
        # What is served: the item vectors, settled once when training is over.
        self.settled: Tensor
        self.register_buffer("settled", torch.zeros(n_items, dimensions))
        nn.init.normal_(self.items.weight, std=0.1)

    def see(self, pictures: Tensor) -> Tensor:
        """float32[n, dimensions] of pictures uint8[n, height, width, 3]."""
        found: Tensor = self.eye(pictures.permute(0, 3, 1, 2).float() / 127.5 - 1)
        return found
