"""A video in a few pictures: frames spread evenly over it, and a GIF of them that messages can show."""

import io
import time
from pathlib import Path
from typing import Any

from PIL import Image

from personalization.catalog.pictures import MAX_PIXELS, Trouble, UnreadablePicture

SUFFIXES = {".mp4", ".webm", ".mov", ".m4v", ".mkv", ".avi"}
FRAMES, SIDE = 8, 320
MAX_BYTES = 500 * 2**20
SECONDS = 20.0
FRAME_MILLISECONDS = 500
MOST_PREVIEW_BYTES = 1_500_000


def key_frames(path: Path, *, frames: int = FRAMES, side: int = SIDE) -> list[Image.Image]:
    """Evenly spread, at most `side` pixels each way; fewer where it has fewer. Raises UnreadablePicture, also
    for what is too large or takes longer than SECONDS.
    """
    try:
        import av
    except ImportError as error:
        raise UnreadablePicture(Trouble.NEEDS_PYAV) from error
    if path.stat().st_size > MAX_BYTES:
        raise UnreadablePicture(Trouble.TOO_LARGE)
    try:
        with av.open(str(path), mode="r", options={"protocol_whitelist": "file"}) as container:
            found = _sampled(container, frames, side)
    except (av.FFmpegError, OSError, MemoryError) as error:
        raise UnreadablePicture(Trouble.BROKEN) from error
    if not found:
        raise UnreadablePicture(Trouble.EMPTY)
    return found


def _sampled(container: Any, frames: int, side: int) -> list[Image.Image]:
    if not container.streams.video:
        raise UnreadablePicture(Trouble.EMPTY)
    stream, stop = container.streams.video[0], time.monotonic() + SECONDS
    if stream.width * stream.height > MAX_PIXELS:
        raise UnreadablePicture(Trouble.TOO_LARGE)
    found = []
    for moment in _moments(container.duration, frames):
        if moment is not None:
            # Seeking lands on the key frame before: no need to decode the whole video.
            container.seek(moment)
        for frame in container.decode(stream):
            image = frame.to_image()
            image.thumbnail((side, side))
            found.append(image)
            break
        if time.monotonic() > stop:
            raise UnreadablePicture(Trouble.TOO_SLOW)
    return found


def _moments(duration: int | None, frames: int) -> list[int | None]:
    """The middles of equal parts, in the container's own microseconds; [None] where the length is unknown."""
    if not duration:
        return [None]
    return [int(duration * (part + 0.5) / frames) for part in range(frames)]


def preview_of(frames: list[Image.Image]) -> bytes:
    """A GIF that goes round; smaller where it would be too heavy for a message. Programs that show one frame
    only show the first.
    """
    for side in (SIDE, SIDE * 3 // 4, SIDE // 2):
        small = [_within(frame, side) for frame in frames]
        out = io.BytesIO()
        small[0].save(
            out, "GIF", save_all=True, append_images=small[1:], duration=FRAME_MILLISECONDS, loop=0,
            optimize=True,
        )  # fmt: skip
        if out.tell() <= MOST_PREVIEW_BYTES:
            break
    return out.getvalue()


def _within(frame: Image.Image, side: int) -> Image.Image:
    copy = frame.copy()
    copy.thumbnail((side, side))
    return copy.quantize(96)
