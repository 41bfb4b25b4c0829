"""Looks at the pictures and videos of items after they came in, a few hundred at a time.

Truth is in rows: an item whose row was written after its picture was looked at is due. What is looked at is
marked beforehand, so that a file that kills its reader is not read again and again.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from personalization.catalog import likeness, videos
from personalization.catalog.models import Item, ItemPicture
from personalization.catalog.pictures import Trouble, UnreadablePicture, local_file, open_small

log = structlog.get_logger(__name__)
AT_ONCE = 200
SIDE = 256
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def look_at_due(*, limit: int = AT_ONCE) -> int:
    """How many items were looked at."""
    has_any = ~Q(image_url="") | Q(attributes__has_key="video_url")
    is_due = Q(look=None) | Q(look__looked_at__lt=F("updated_at"))
    due = list(Item.objects.filter(has_any & is_due).select_related("look").order_by("pk")[:limit])
    for item in due:
        look_at(item)
    return len(due)


def look_at(item: Item) -> ItemPicture:
    found: ItemPicture = getattr(item, "look", None) or ItemPicture(item=item)
    picture, video = files_of(item)
    stamp = _stamp(picture, video)
    is_known = found.pk is not None and found.stamp == stamp
    found.looked_at = max(timezone.now(), item.updated_at)
    if is_known:
        found.save(update_fields=["looked_at"])
        return found
    found.stamp, found.error = stamp, Trouble.UNFINISHED
    found.like, found.steps, found.colors, before, found.preview = None, None, b"", found.preview, ""
    found.save()
    # Those that were like the old picture are to be compared anew.
    found.likes.update(like=None, stamp="", looked_at=LONG_AGO)
    found.error = ""
    try:
        if video is not None:
            frames = videos.key_frames(video)
            found.preview = _keep_preview(item, stamp, videos.preview_of(frames))
            _compare(found, likeness.look_of(frames[0]))
        elif picture is not None:
            _compare(found, likeness.look_of(open_small(picture, width=SIDE, height=SIDE)))
    except UnreadablePicture as error:
        log.info("picture_unreadable", item=item.pk, error=str(error))
        found.error = error.trouble
    found.save()
    if found.preview != before:
        # Whoever keeps the texts of items reads those again whose row was written.
        Item.objects.filter(pk=item.pk).update(image_url=F("image_url"))
    return found


def files_of(item: Item) -> tuple[Path | None, Path | None]:
    """The item's picture and its video: `image_url`, and `video_url` among the other attributes."""
    picture, video = local_file(item.image_url), local_file(item.attributes.get("video_url"))
    if picture is not None and picture.suffix.lower() in videos.SUFFIXES:
        return None, video or picture
    return picture, video


def _stamp(*paths: Path | None) -> str:
    """Another one as soon as a file is another."""
    states = [f"{path}:{(s := path.stat()).st_mtime_ns}:{s.st_size}" for path in paths if path is not None]
    return hashlib.sha256("\n".join(states).encode()).hexdigest()[:32] if states else ""


def _compare(found: ItemPicture, look: likeness.Look) -> None:
    """Notes the look, and which earlier picture is nearly the same: always the first of its kind."""
    found.steps, found.colors = look.steps, look.colors
    rows = list(
        ItemPicture.objects.filter(steps__isnull=False, like=None)
        .exclude(pk=found.pk)
        .order_by("pk")
        .values_list("pk", "steps", "colors")
    )
    if not rows:
        return
    pks, steps, colors = zip(*rows, strict=True)
    place = likeness.nearest(
        look,
        np.array(steps, dtype=np.int64),
        np.frombuffer(b"".join(bytes(one) for one in colors), dtype=np.uint8).reshape(-1, 48),
    )
    if place is not None:
        found.like_id = pks[place]
        found.likes.update(like=found.like_id)


def _keep_preview(item: Item, stamp: str, drawn: bytes) -> str:
    """The whole address of the GIF: messages need one."""
    folder = Path(settings.MEDIA_ROOT) / "previews"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{item.pk}-{stamp[:12]}.gif"
    for old in folder.glob(f"{item.pk}-*.gif"):
        old.unlink(missing_ok=True)
    (folder / name).write_bytes(drawn)
    return f"{settings.SITE_URL.rstrip('/')}{settings.MEDIA_URL}previews/{name}"


def groups(*, offset: int = 0, limit: int = 30) -> tuple[list[list[Any]], int]:
    """Items whose pictures are nearly the same, the first of each kind in front; and how many groups."""
    firsts = ItemPicture.objects.filter(likes__isnull=False).distinct().order_by("-pk")
    shown = firsts.select_related("item").prefetch_related("likes__item")[offset : offset + limit]
    return [[one.item, *(like.item for like in one.likes.all())] for one in shown], firsts.count()
