"""Pictures and videos as arrays, read with care: a catalog's files come from outside."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from recommender.algorithms._base import MissingExtraError
from recommender.algorithms._features import Picture

# A picture of a few kilobytes can unfold into gigabytes: sizes are read from its head, before its pixels.
MAX_PIXELS = 50_000_000
# Decoders that are exercised daily by everyone; the other fifty are surface for attacks.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
FRAMES = 8


class PictureError(ValueError):
    """The file is no picture or video that can be read: unknown, cut off, or too large."""


def read_picture(path: Path, *, side: int) -> Picture:
    """uint8[height, width, 3], shrunk to at most `side` pixels each way; transparency becomes white.

    Raises PictureError.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(f"{path.name} has {image.width} × {image.height} pixels, too many to read")
            image.draft("RGB", (side, side))  # a JPEG is then decoded at a fraction of its size
            image.load()
            small = ImageOps.exif_transpose(image)
            small.thumbnail((side, side))
            layers = small.convert("RGBA")
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError(f"{path.name} cannot be read as a picture: {error}") from error
    white = Image.new("RGBA", layers.size, "white")
    return np.asarray(Image.alpha_composite(white, layers).convert("RGB"))


def read_video(path: Path, *, side: int, frames: int = FRAMES) -> Picture:
    """uint8[frames, height, width, 3]: frames spread evenly over the video, fewer if it has fewer.

    Raises PictureError, and MissingExtraError without PyAV.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("videos need") from error
    try:
        with av.open(str(path), mode="r", options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video:
                raise PictureError(f"{path.name} holds no video")
            found = _sample(container, frames, side)
    except (av.FFmpegError, OSError, MemoryError) as error:
        raise PictureError(f"{path.name} cannot be read as a video: {error}") from error
    if not found:
        raise PictureError(f"{path.name} holds no frame that can be read")
    return np.stack(found)


def _sample(container: "av.container.InputContainer", frames: int, side: int) -> list[Picture]:  # type: ignore[name-defined]  # noqa: F821
    stream = container.streams.video[0]
    if stream.width * stream.height > MAX_PIXELS:
        raise PictureError(f"the video has {stream.width} × {stream.height} pixels, too many to read")
    found: list[Picture] = []
    # Seeking lands on the key frame before each moment: no need to decode the whole video.
    for moment in _moments(container.duration, frames):
        if moment is not None:
            container.seek(moment)
        for frame in container.decode(stream):
            scale = min(1.0, side / max(frame.width, frame.height))
            size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
            found.append(frame.to_ndarray(format="rgb24", width=size[0], height=size[1]))
            break
    return found


def _moments(duration: int | None, frames: int) -> list[int | None]:
    """The middles of equal parts, in the container's own microseconds; [None] where the length is unknown."""
    if not duration:
        return [None]
    return [int(duration * (part + 0.5) / frames) for part in range(frames)]


def resized(pictures: Sequence[Picture], height: int, width: int) -> npt.NDArray[np.uint8]:
    """uint8[n, height, width, 3]: the whole picture, padded with its border's color to keep its shape."""
    found = np.empty((len(pictures), height, width, 3), dtype=np.uint8)
    for at, picture in enumerate(pictures):
        if picture.ndim not in (2, 3) or 0 in picture.shape:
            raise ValueError(f"a picture has shape {picture.shape}")
        image = Image.fromarray(picture).convert("RGB")
        border = np.concatenate(
            [np.asarray(image)[[0, -1]].reshape(-1, 3), np.asarray(image)[:, [0, -1]].reshape(-1, 3)]
        )
        color = tuple(int(value) for value in np.median(border, axis=0))
        found[at] = np.asarray(ImageOps.pad(image, (width, height), color=color))
    return found
