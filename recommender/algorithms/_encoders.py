"""Pictures of items as vectors: by a pretrained encoder, or by a small one trained on those pictures."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.cluster import MiniBatchKMeans

from recommender.algorithms._features import ItemFeatures, Picture
from recommender.algorithms._interactions import Floats, Ints
from recommender.algorithms._pictures import resized

SIDE, PATCH, STRIDE = 32, 6, 2
LAYOUT = 8
# On pixels of 0 to 255: Coates and Ng's own values.
CONTRAST_FLOOR, WHITENING_FLOOR = 10.0, 0.1
PATCHES = 40_000
BLOCK = 64


class PatchEncoder:
    """A network of one layer that needs no labels: patches, whitened, by their nearness to k-means centers.

    Each center answers max(0, mean distance − own distance) at every place ("triangle"); the answers are
    added up over the four quarters of the picture and standardized. The patches know neither brightness nor
    the whole, so the picture at LAYOUT × LAYOUT pixels goes beside them, with as much weight; both are
    reduced to `dimensions` by principal components. Source: Coates, Ng and Lee (2011), sections 3 and 4.
    """

    def __init__(self, *, dimensions: int = 128, centers: int = 160, seed: int = 0) -> None:
        self.dimensions, self.centers, self.seed = dimensions, centers, seed

    def fit_encode(self, pixels: npt.NDArray[np.uint8]) -> Floats:
        """Trains on uint8[n, SIDE, SIDE, 3] and answers their vectors, float32[n, at most dimensions]."""
        if not len(pixels):
            return np.zeros((0, 0), dtype=np.float32)
        self._learn_patches(pixels)
        blocks = [self._pooled(pixels[at : at + BLOCK]) for at in range(0, len(pixels), BLOCK)]
        pooled = np.concatenate(blocks)
        spread = pooled.std(axis=0)
        standard = np.asarray(pooled / np.where(spread > 0, spread, 1), dtype=np.float32)
        return self._reduced(standard, _layouts(pixels))

    def _learn_patches(self, pixels: npt.NDArray[np.uint8]) -> None:
        random = np.random.default_rng(self.seed)
        pictures = random.integers(0, len(pixels), PATCHES)
        corners = random.integers(0, SIDE - PATCH + 1, (2, PATCHES))
        inside = np.arange(PATCH)
        rows, columns = corners[0][:, None, None] + inside[:, None], corners[1][:, None, None] + inside
        patches = _normalized(pixels[pictures[:, None, None], rows, columns].reshape(PATCHES, -1))
        self._mean = patches.mean(axis=0)
        spread, axes = np.linalg.eigh(np.cov(patches - self._mean, rowvar=False).astype(np.float64))
        whitening = (axes / np.sqrt(np.maximum(spread, 0) + WHITENING_FLOOR)) @ axes.T
        self._whitening = whitening.astype(np.float32)
        white = (patches - self._mean) @ self._whitening
        clusters = MiniBatchKMeans(
            self.centers, random_state=self.seed, n_init=1, batch_size=4096, max_iter=20
        )
        self._centers = np.asarray(clusters.fit(white).cluster_centers_, dtype=np.float32)

    def _pooled(self, pixels: npt.NDArray[np.uint8]) -> Floats:
        windows = np.lib.stride_tricks.sliding_window_view(pixels, (PATCH, PATCH), axis=(1, 2))
        windows = windows[:, ::STRIDE, ::STRIDE].transpose(0, 1, 2, 4, 5, 3)
        n, places = len(pixels), windows.shape[1]
        white = (_normalized(windows.reshape(n * places * places, -1)) - self._mean) @ self._whitening
        squares = (white**2).sum(axis=1)[:, None] + (self._centers**2).sum(axis=1)
        distances = np.sqrt(np.maximum(squares - 2 * white @ self._centers.T, 0))
        answers = np.maximum(distances.mean(axis=1, keepdims=True) - distances, 0)
        grid = answers.reshape(n, places, places, -1)
        half = (places + 1) // 2
        parts = (slice(half), slice(half, None))
        quarters = [grid[:, rows, columns].sum(axis=(1, 2)) for rows in parts for columns in parts]
        return np.concatenate(quarters, axis=1).astype(np.float32)

    def _reduced(self, *parts: Floats) -> Floats:
        """Main directions of the parts side by side, each brought to the same mean length."""
        joined = np.concatenate([_scaled(part - part.mean(axis=0)) for part in parts], axis=1)
        covariance = joined.T.astype(np.float64) @ joined / len(joined)
        _, axes = np.linalg.eigh(covariance)
        return np.asarray(joined @ axes[:, ::-1][:, : self.dimensions], dtype=np.float32)


def encode_items(
    features: ItemFeatures, n_items: int, trained: PatchEncoder
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The mean vector of each item's pictures and frames, float32[n_items, d], and who has any.

    By the encoder of the features, else by `trained`, which then learns from them.
    """
    pretrained = features.encoder
    small: list[npt.NDArray[np.uint8]] = []
    found: list[Floats] = []
    owners: list[Ints] = []
    for pictures, items in _blocks(features):
        owners.append(items)
        if pretrained is None:
            small.append(resized(pictures, SIDE, SIDE))
        else:
            found.append(pretrained.encode(pictures))
    if not owners:
        return np.zeros((n_items, 1), dtype=np.float32), np.zeros(n_items, dtype=np.bool_)
    encoded = trained.fit_encode(np.concatenate(small)) if pretrained is None else np.concatenate(found)
    shown = np.concatenate(owners)
    counts = np.bincount(shown, minlength=n_items)
    total = np.zeros((n_items, encoded.shape[1]), dtype=np.float32)
    np.add.at(total, shown, encoded)
    return np.asarray(total / np.maximum(counts, 1)[:, None], dtype=np.float32), counts > 0


def _blocks(features: ItemFeatures) -> Iterator[tuple[list[Picture], Ints]]:
    """Pictures and frames with the items they show, a few at a time, so that memory stays flat."""
    pictures: list[Picture] = []
    owners: list[int] = []
    for picture, item in _every(features.images, features.videos):
        pictures.append(picture)
        owners.append(item)
        if len(pictures) == BLOCK:
            yield pictures, np.array(owners, dtype=np.int64)
            pictures, owners = [], []
    if pictures:
        yield pictures, np.array(owners, dtype=np.int64)


def _every(
    images: Sequence[Picture | None], videos: Sequence[Picture | None]
) -> Iterator[tuple[Picture, int]]:
    for item, image in enumerate(images):
        if image is not None:
            yield image, item
    for item, video in enumerate(videos):
        yield from ((frame, item) for frame in (() if video is None else video))


def _normalized(patches: npt.NDArray[np.uint8]) -> Floats:
    """Without their brightness and contrast."""
    values = patches.astype(np.float32)
    centered = values - values.mean(axis=1, keepdims=True)
    return np.asarray(
        centered / np.sqrt(values.var(axis=1, keepdims=True) + CONTRAST_FLOOR), dtype=np.float32
    )


def _layouts(pixels: npt.NDArray[np.uint8]) -> Floats:
    cell = SIDE // LAYOUT
    cells = pixels.reshape(len(pixels), LAYOUT, cell, LAYOUT, cell, 3)
    return np.asarray(cells.mean(axis=(2, 4)).reshape(len(pixels), -1), dtype=np.float32)


def _scaled(part: Floats) -> Floats:
    length = float(np.sqrt((part.astype(np.float64) ** 2).sum(axis=1).mean()))
    return np.asarray(part / length if length else part, dtype=np.float32)
