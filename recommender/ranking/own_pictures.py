"""Which of an item's several pictures a customer sees: the one that looks most like what they liked.

Pictures are `image_url` and the addresses in the attribute `images`; a network of the shop's own
(IMAGE_ENCODER) turns those in the media folder into vectors, in small steps after an item came in. Without
it, or for somebody who liked nothing yet, the first one is shown.
"""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from personalization.catalog.models import Item
from personalization.catalog.pictures import local_file
from recommender.algorithms._onnx import EncoderError, OnnxEncoder
from recommender.algorithms._pictures import PictureError, read_picture
from recommender.inputs.histories import load_histories
from recommender.inputs.interactions import DEFAULT_EVENT_WEIGHTS
from recommender.models import PictureVector

log = structlog.get_logger(__name__)
MOST_PICTURES, AT_ONCE = 10, 100
LIKED, FIRST = "liked", "first"
Vector = npt.NDArray[np.float32]


class Chosen(NamedTuple):
    """`why` is LIKED, or FIRST where nothing is known of the customer's taste."""

    url: str
    why: str


def choose_pictures(lists: Mapping[int, Collection[int]]) -> dict[int, dict[int, Chosen]]:
    """By customer and item, of the items that have several pictures. `lists`: customer → items."""
    if not settings.IMAGE_ENCODER or not lists:
        return {}
    asked = {item for items in lists.values() for item in items}
    own = _vectors(asked, Q(item__pictures__place__gt=0))
    if not own:
        return {}
    wanting = [customer for customer, items in lists.items() if own.keys() & set(items)]
    tastes = _tastes(wanting)
    return {
        customer: {item: _chosen(own[item], tastes.get(customer)) for item in lists[customer] if item in own}
        for customer in wanting
    }


def _chosen(pictures: list[tuple[str, Vector]], taste: Vector | None) -> Chosen:
    if taste is None:
        return Chosen(pictures[0][0], FIRST)
    likeness = [float(taste @ vector) for _, vector in pictures]
    return Chosen(pictures[int(np.argmax(likeness))][0], LIKED)


def _tastes(customers: Collection[int]) -> dict[int, Vector]:
    """What each liked looks like: the weighted mean of the first pictures."""
    found = load_histories(customers, event_weights=DEFAULT_EVENT_WEIGHTS)
    seen = _vectors(set(found.items.tolist()), Q(place=0))
    tastes: dict[int, Vector] = {}
    for user, item, weight in zip(
        found.users.tolist(), found.items.tolist(), found.weights.tolist(), strict=True
    ):
        if item in seen:
            customer = int(found.customers[user])
            tastes[customer] = tastes.get(customer, np.float32(0)) + weight * seen[item][0][1]
    return tastes


def _vectors(items: Collection[int], which: Q) -> dict[int, list[tuple[str, Vector]]]:
    """Address and vector of length 1 of each picture, the first one in front."""
    rows = PictureVector.objects.filter(which, item__in=items, encoder=_encoder_stamp()).exclude(vector=b"")
    found: dict[int, list[tuple[str, Vector]]] = {}
    for item, url, raw in rows.distinct().order_by("item", "place").values_list("item", "url", "vector"):
        found.setdefault(item, []).append((url, np.frombuffer(bytes(raw), dtype=np.float32)))
    return found


def addresses_of(item: Item) -> list[str]:
    """Of its pictures, each once: `images` is a list, or a text with | between the addresses."""
    more: Any = item.attributes.get("images") or []
    named = more.split("|") if isinstance(more, str) else more if isinstance(more, list) else []
    every = [item.image_url, *(one.strip() for one in named if isinstance(one, str))]
    return list(dict.fromkeys(one for one in every if one))[:MOST_PICTURES]


def encode_due(*, limit: int = AT_ONCE) -> int:
    """How many items got vectors. An item is due after it was written, and with another network."""
    if not settings.IMAGE_ENCODER:
        return 0
    stamp = _encoder_stamp()
    done = PictureVector.objects.filter(place=0, encoder=stamp, made_at__gte=F("item__updated_at"))
    due = list(Item.objects.exclude(image_url="").exclude(pk__in=done.values("item")).order_by("pk")[:limit])
    try:
        encoder = OnnxEncoder(Path(settings.IMAGE_ENCODER))
        for item in due:
            _encode(item, encoder, stamp)
    except EncoderError as error:
        log.error("encoder_unusable", error=str(error)[:300])
        return 0
    return len(due)


def _encode(item: Item, encoder: OnnxEncoder, stamp: str) -> None:
    rows, made_at = [], max(timezone.now(), item.updated_at)
    known = {one.url: one for one in PictureVector.objects.filter(item=item, encoder=stamp)}
    for place, url in enumerate(addresses_of(item)):
        path, before = local_file(url), known.get(url)
        if before and path and path.stat().st_mtime < before.made_at.timestamp():
            vector = bytes(before.vector)  # most items that are written have the same pictures as before
        else:
            vector = _vector(path, encoder) if path is not None else b""
        rows.append(
            PictureVector(item=item, place=place, url=url, encoder=stamp, vector=vector, made_at=made_at)
        )
    PictureVector.objects.filter(item=item, place__gte=len(rows)).delete()
    PictureVector.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["item", "place"],
        update_fields=["url", "encoder", "vector", "made_at"],
    )  # fmt: skip


def _vector(path: Path, encoder: OnnxEncoder) -> bytes:
    """Of length 1; empty for what cannot be read."""
    try:
        picture = read_picture(path, side=max(encoder.size))
    except PictureError as error:
        log.info("picture_skipped", error=str(error)[:200])
        return b""
    vector = encoder.encode([picture])[0]
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32).tobytes() if length > 0 else b""


def _encoder_stamp() -> str:
    """Another one for another file."""
    path = Path(settings.IMAGE_ENCODER)
    state = path.stat() if path.is_file() else None
    named = f"{path}:{state.st_mtime_ns}:{state.st_size}" if state else str(path)
    return hashlib.sha256(named.encode()).hexdigest()[:16]
