"""A hybrid: who took an item, and how it looks, seen by a convolutional network trained along with the
rest.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from recommender.algorithms._base import Training, gettext_noop
from recommender.algorithms._deep import COPIES_OF_WEIGHTS, DeepRecommender
from recommender.algorithms._deep_bags import bags
from recommender.algorithms._deep_pictures import SIDE, Pictures
from recommender.algorithms._deep_pools import Pool, pools
from recommender.algorithms._deep_sequences import Held
from recommender.algorithms._deep_torch import weights_of
from recommender.algorithms._interactions import Interactions

if TYPE_CHECKING:
    from torch import Tensor, nn

BLOCK_PICTURES = 1024


class Cnn(DeepRecommender):
    """An item is a vector of its own plus one of its picture; the customer is a network over the history.

    While training, the own vector of an item with a picture is left out with the chance `cold_share`, so
    that the picture learns to stand alone: that is how an item nobody took yet is ranked. Without pictures
    only the own vectors remain, and nothing is said about items nobody took.
    Sources: He and McAuley (2016), VBPR, equation 4, with the encoder trained and not given; leaving out as
    in Volkovs, Yu and Poutanen (2017), DropoutNet.
    """

    name = "cnn"
    title = gettext_noop("Pictures and purchases (CNN hybrid)")
    uses_features = True

    def __init__(
        self,
        *,
        dimensions: int = 64,
        hidden: int = 128,
        cold_share: float = 0.3,
        held_share: float = 0.3,
        per_user: int = 8,
        negatives: int = 256,
        dropout: float = 0.3,
        epochs: int = 100,
        patience: int = 10,
        batch_size: int = 64,
        learning_rate: float = 0.002,
        weight_decay: float = 0.01,
        max_seconds: float | None = None,
        seed: int = 0,
    ) -> None:
        self.dimensions = dimensions
        self.hidden = hidden
        self.cold_share = cold_share
        self.held_share = held_share
        self.per_user = per_user
        self.negatives = negatives
        self.dropout = dropout
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.max_seconds = max_seconds
        self.seed = seed
        self._check()
        if min(hidden, per_user, negatives) < 1:
            raise ValueError("hidden, per_user and negatives must be positive")
        if not 0 <= cold_share < 1 or not 0 < held_share < 1:
            raise ValueError("cold_share lies in [0, 1), held_share between 0 and 1")

    def _item_width(self) -> int:
        # Two tables, the settled vectors, and the pictures.
        return 3 * self.dimensions + 3 * SIDE**2 // COPIES_OF_WEIGHTS

    def _build(self, n_items: int) -> "nn.Module":
        from recommender.algorithms._deep_towers import PictureTowers

        return PictureTowers(n_items, dimensions=self.dimensions, hidden=self.hidden, dropout=self.dropout)

    def _learn(self, interactions: Interactions, training: Training) -> None:
        self._pictures = Pictures.of(training.features, interactions.n_items)
        self._is_known = np.bincount(interactions.items, minlength=interactions.n_items) > 0
        super()._learn(interactions, training)
        if self._weights:
            network = self._ready()
            self._settle(network)
            self._weights = weights_of(network)
        del self._pictures, self._is_known

    def _losses(
        self, network: "nn.Module", histories: Interactions, random: np.random.Generator, epoch: int
    ) -> Iterator[tuple[float, "Tensor"]]:
        import torch

        from recommender.algorithms._deep_layers import pool_loss

        drawn = pools(
            histories, size=self.batch_size, share=self.held_share, per_user=self.per_user,
            extra=self.negatives, random=random,
        )  # fmt: skip
        for share, pool in drawn:
            users = network.user(*pool.given.tensors())  # type: ignore[operator]
            logits = users @ self._pool_vectors(network, pool, random).T - torch.from_numpy(pool.log_chances)
            own, rows, places = map(torch.from_numpy, (pool.own, pool.rows, pool.places))
            yield share, pool_loss(logits, own, rows, places)

    def _pool_vectors(self, network: "nn.Module", pool: Pool, random: np.random.Generator) -> "Tensor":
        left_out = (random.random(len(pool.items)) < self.cold_share) & self._pictures.has[pool.items]
        return self._vectors(network, pool.items, ~left_out)

    def _vectors(self, network: "nn.Module", items: np.ndarray, with_own: np.ndarray) -> "Tensor":
        import torch

        vectors = network.items(torch.from_numpy(items)) * torch.from_numpy(with_own)[:, None]  # type: ignore
        seen = np.flatnonzero(self._pictures.has[items])
        if not len(seen):
            return vectors  # type: ignore[no-any-return]
        looks = network.see(torch.from_numpy(self._pictures.take(items[seen])))  # type: ignore[operator]
        return vectors.index_add(0, torch.from_numpy(seen), looks)  # type: ignore[no-any-return]

    def _settle(self, network: "nn.Module") -> None:
        """Writes the vectors of all items into the network; NaN for one without buyer and picture."""
        import torch

        with torch.inference_mode():
            for start in range(0, len(self._is_known), BLOCK_PICTURES):
                items = np.arange(start, min(start + BLOCK_PICTURES, len(self._is_known)))
                vectors = self._vectors(network, items, self._is_known[items])
                vectors[torch.from_numpy(~self._is_known[items] & ~self._pictures.has[items])] = torch.nan
                network.settled[items[0] : items[-1] + 1] = vectors  # type: ignore

    def _judge(self, network: "nn.Module", held: Held | None) -> float | None:
        if held is not None:
            self._settle(network)
        return super()._judge(network, held)

    def _rank(self, network: "nn.Module", histories: Interactions) -> "Tensor":
        import torch

        users = network.user(*bags(histories).tensors())  # type: ignore[operator]
        found: Tensor = torch.nan_to_num(users @ network.settled.T, nan=-torch.inf)
        return found
