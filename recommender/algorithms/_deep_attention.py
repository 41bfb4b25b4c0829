"""The network of SASRec. Imports torch: to be imported only inside functions, after `load_torch`."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Block(nn.Module):
    def __init__(self, dimensions: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before_attention = nn.LayerNorm(dimensions)
        self.queries_keys_values = nn.Linear(dimensions, 3 * dimensions)
        self.mixed = nn.Linear(dimensions, dimensions)
        self.before_feed = nn.LayerNorm(dimensions)
        self.feed_in = nn.Linear(dimensions, 2 * dimensions)
        self.feed_out = nn.Linear(2 * dimensions, dimensions)

    def forward(self, hidden: Tensor) -> Tensor:
        n, length, width = hidden.shape
        parts = self.queries_keys_values(self.before_attention(hidden))
        queries, keys, values = parts.view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        # Right-padded and looking only back, so that no place ever sees the padding.
        seen = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        seen = self.mixed(seen.transpose(1, 2).reshape(n, length, width))
        hidden = hidden + functional.dropout(seen, self.dropout, self.training)
        fed = self.feed_out(functional.gelu(self.feed_in(self.before_feed(hidden))))
        return hidden + functional.dropout(fed, self.dropout, self.training)


class Attention(nn.Module):
    """Item and place vectors, then blocks of causal self-attention (pre-norm)."""

    def __init__(
        self, n_items: int, *, dimensions: int, length: int, layers: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.items = nn.Embedding(n_items, dimensions)
        self.places = nn.Embedding(length, dimensions)
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.blocks = nn.ModuleList(_Block(dimensions, heads, dropout) for _ in range(layers))
        self.last = nn.LayerNorm(dimensions)
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, items: Tensor, lengths: Tensor) -> Tensor:
        hidden = self.items(items) * self.items.embedding_dim**0.5
        hidden = hidden + self.places.weight[: items.shape[1]]
        hidden = functional.dropout(hidden, self.dropout, self.training)
        for block in self.blocks:
            hidden = block(hidden)
        found: Tensor = self.last(hidden)
        return found
