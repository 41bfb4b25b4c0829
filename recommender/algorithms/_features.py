"""What items are, apart from who took them: the input of the content-based models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ItemFeatures:
    """Known facts about items; entry i of every column belongs to item number i, empty ones are unknown.

    `texts`: name and description. `tags`: categories, brand, genres. `numbers`: such as price, NaN where
    unknown. `images`: uint8[height, width, 3] (or [height, width] for grey), None where there is none.
    `vectors`: float32[n_items, d] of any encoder of one's own.
    """

    texts: Sequence[str] = ()
    tags: Sequence[Sequence[str]] = ()
    numbers: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    images: Sequence[npt.NDArray[np.uint8] | None] = ()
    vectors: npt.NDArray[np.float32] | None = None

    def check(self, n_items: int) -> None:
        """Raises ValueError when a column has another length than there are items."""
        lengths = {"texts": len(self.texts), "tags": len(self.tags), "images": len(self.images)}
        lengths |= {name: len(column) for name, column in self.numbers.items()}
        if self.vectors is not None:
            lengths["vectors"] = len(self.vectors)
        for name, length in lengths.items():
            if length not in (0, n_items):
                raise ValueError(f"the feature {name} has {length} entries for {n_items} items")
