"""The network of GRU4Rec. Imports torch: to be imported only inside functions, after `load_torch`."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Recurrent(nn.Module):
    """Item vectors, a gated recurrent unit over them, and a layer back to the space of the items."""

    def __init__(self, n_items: int, *, dimensions: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.items = nn.Embedding(n_items, dimensions)
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.unit = nn.GRU(
            dimensions,
            dimensions,
            num_layers=layers,
            batch_first=True,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.back = nn.Linear(dimensions, dimensions)
        nn.init.normal_(self.items.weight, std=dimensions**-0.5)

    def forward(self, items: Tensor, lengths: Tensor) -> Tensor:
        # Right-padded: what comes after the last real place changes nothing before it.
        hidden = functional.dropout(self.items(items), self.dropout, self.training)
        hidden = self.unit(hidden)[0]
        found: Tensor = self.back(functional.dropout(hidden, self.dropout, self.training))
        return found
