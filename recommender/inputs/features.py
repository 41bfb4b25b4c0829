"""What the catalog says about items, as the content-based models read it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings

from personalization.catalog.models import Item
from personalization.catalog.pictures import local_file
from personalization.catalog.selectors import recommendable_ids
from recommender.algorithms import ItemFeatures, MissingExtraError
from recommender.algorithms._pictures import PictureError, read_picture, read_video
from recommender.inputs.interactions import EventLog

logger = structlog.get_logger(__name__)
COLUMNS = (
    "id", "name", "description", "categories", "brand", "price", "image_url", "translations", "attributes",
)  # fmt: skip
ITEMS_PER_QUERY = 5_000
VIDEO_SUFFIXES = {".mp4", ".webm", ".mov", ".m4v", ".mkv", ".avi"}
# Enough for an encoder trained on the catalog itself; keeps ten thousand pictures at 120 MB.
PICTURE_SIDE = 64


def load_features(item_ids: Collection[int]) -> ItemFeatures:
    """Entry i is about item_ids[i]; an id that the catalog no longer has gets empty entries.

    Pictures and videos are read when a model asks for them, and only from files under MEDIA_ROOT: training
    never goes to the network.
    """
    rows = {row["id"]: row for row in _rows(item_ids)}
    ordered = [rows.get(int(item), {}) for item in item_ids]
    encoder = None
    if settings.IMAGE_ENCODER:
        from recommender.algorithms._onnx import OnnxEncoder

        encoder = OnnxEncoder(Path(settings.IMAGE_ENCODER))
    side = max(encoder.size) if encoder else PICTURE_SIDE
    images, videos = zip(*map(_files, ordered), strict=True) if ordered else ((), ())
    return ItemFeatures(
        texts=[_text(row) for row in ordered],
        tags=[_tags(row) for row in ordered],
        numbers={"price": np.array([_price(row) for row in ordered], dtype=np.float64)},
        images=_Files(images, side=side) if any(images) else (),
        videos=_Files(videos, side=side) if any(videos) else (),
        encoder=encoder,
    )


def with_catalog(events: EventLog) -> EventLog:
    """The same events among all items that may be recommended, also those that nobody took yet.

    A model of features can only recommend a new item if its training knew that it exists.
    """
    item_ids = np.union1d(events.item_ids, np.array(recommendable_ids(), dtype=np.int64))
    columns = np.searchsorted(item_ids, events.item_ids)
    shape = (events.log.shape[0], len(item_ids))
    log = replace(events.log, items=columns[events.log.items], shape=shape)
    return replace(events, log=log, item_ids=item_ids)


class _Files(Sequence[npt.NDArray[np.uint8] | None]):
    """Reads a file each time it is asked for; one that cannot be read leaves its item without a picture."""

    def __init__(self, paths: Sequence[Path | None], *, side: int) -> None:
        self._paths, self._side = paths, side

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, at: int) -> npt.NDArray[np.uint8] | None: ...
    @overload
    def __getitem__(self, at: slice) -> "_Files": ...
    def __getitem__(self, at: int | slice) -> "npt.NDArray[np.uint8] | _Files | None":
        if isinstance(at, slice):
            return _Files(self._paths[at], side=self._side)
        path = self._paths[at]
        if path is None:
            return None
        read = read_video if path.suffix.lower() in VIDEO_SUFFIXES else read_picture
        try:
            return read(path, side=self._side)
        except (PictureError, MissingExtraError) as error:
            logger.warning("picture_skipped", path=str(path), error=str(error))
            return None


def _rows(item_ids: Collection[int]) -> Iterator[dict[str, Any]]:
    ids = [int(item) for item in item_ids]
    for start in range(0, len(ids), ITEMS_PER_QUERY):
        yield from (
            Item.objects.filter(pk__in=ids[start : start + ITEMS_PER_QUERY]).order_by().values(*COLUMNS)
        )


def _text(row: dict[str, Any]) -> str:
    """Name and description in every language there is: a customer's own items bridge the languages."""
    translations = row.get("translations") or {}
    parts = [row, *(words for words in translations.values() if isinstance(words, dict))]
    texts = [str(part.get(name) or "") for part in parts for name in ("name", "description")]
    return "\n".join(text for text in texts if text)


def _tags(row: dict[str, Any]) -> list[str]:
    tags = [str(category) for category in row.get("categories") or []]
    return tags + ([f"brand: {row['brand']}"] if row.get("brand") else [])


def _price(row: dict[str, Any]) -> float:
    price = row.get("price")
    return float("nan") if price is None else float(price)


def _files(row: dict[str, Any]) -> tuple[Path | None, Path | None]:
    """The item's picture and its video: `image_url`, and `video_url` among the other attributes."""
    picture = local_file(row.get("image_url"))
    video = local_file((row.get("attributes") or {}).get("video_url"))
    if picture is not None and picture.suffix.lower() in VIDEO_SUFFIXES:
        return None, video or picture
    return picture, video
