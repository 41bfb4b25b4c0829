"""Pictures of items, all brought to one small size."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from recommender.algorithms._features import ItemFeatures
from recommender.algorithms._interactions import Ints

SIDE = 32
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """`has` bool[n_items]; `places` int64[n_items] into `pixels` uint8[m, SIDE, SIDE, 3]."""

    has: npt.NDArray[np.bool_]
    places: Ints
    pixels: Pixels

    @classmethod
    def of(cls, features: ItemFeatures | None, n_items: int) -> "Pictures":
        images = features.images if features is not None and len(features.images) else [None] * n_items
        has = np.array([image is not None for image in images], dtype=np.bool_)
        small = [_small(image) for image in images if image is not None]
        pixels = np.stack(small) if small else np.zeros((0, SIDE, SIDE, 3), dtype=np.uint8)
        return cls(has, np.cumsum(has) - 1, pixels)

    def take(self, items: Ints) -> Pixels:
        """Those of items that have one."""
        return self.pixels[self.places[items]]


def _small(image: Pixels) -> Pixels:
    resized = Image.fromarray(image).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.uint8)
