"""What items are, apart from who took them: the input of the content-based models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from recommender.algorithms._interactions import Interactions

Picture = npt.NDArray[np.uint8]


class Encoder(Protocol):
    """Turns pictures into vectors."""

    def encode(self, pictures: Sequence[Picture]) -> npt.NDArray[np.float32]:
        """float32[n, d] of pictures of any sizes, uint8[height, width, 3] or [height, width]."""


@dataclass(frozen=True)
class ItemFeatures:
    """Known facts about items; entry i of every column belongs to item number i, empty ones are unknown.

    `texts`: name and description. `tags`: categories, brand, genres. `numbers`: such as price, NaN where
    unknown. `images`: uint8[height, width, 3] (or [height, width] for grey), None where there is none; any
    sequence, also one that reads each picture when asked. `videos`: likewise the frames of a video,
    uint8[frames, height, width, 3]. `encoder`: the pretrained encoder of pictures, None to train one on
    them. `vectors`: float32[n_items, d] of any encoder of one's own.
    """

    texts: Sequence[str] = ()
    tags: Sequence[Sequence[str]] = ()
    numbers: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    images: Sequence[Picture | None] = ()
    videos: Sequence[Picture | None] = ()
    encoder: Encoder | None = None
    vectors: npt.NDArray[np.float32] | None = None

    @classmethod
    def of_takers(cls, interactions: Interactions) -> "ItemFeatures":
        """The users who took an item as its tags: what is left where nothing is known of the items."""
        columns = interactions.matrix.tocsc()
        names = [f"user {user}" for user in range(interactions.n_users)]
        return cls(
            tags=[
                [names[user] for user in columns.indices[start:stop]]
                for start, stop in zip(columns.indptr[:-1], columns.indptr[1:], strict=True)
            ]
        )

    def check(self, n_items: int) -> None:
        """Raises ValueError when a column has another length than there are items, or holds infinities."""
        lengths = {"texts": len(self.texts), "tags": len(self.tags)}
        lengths |= {"images": len(self.images), "videos": len(self.videos)}
        lengths |= {name: len(column) for name, column in self.numbers.items()}
        if self.vectors is not None:
            lengths["vectors"] = len(self.vectors)
            if self.vectors.ndim != 2 or not np.isfinite(self.vectors).all():
                raise ValueError("the vectors must be finite numbers, one row for each item")
        for name, length in lengths.items():
            if length not in (0, n_items):
                raise ValueError(f"the feature {name} has {length} entries for {n_items} items")
