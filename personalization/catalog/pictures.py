"""The files behind the addresses of pictures: only those of our own media folder, never the network."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

# Decoders that are exercised daily by everyone; the other fifty are surface for attacks.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
# A file of a few kilobytes can unfold into gigabytes: sizes are read from its head, before its pixels.
MAX_PIXELS = 50_000_000


class Trouble(models.TextChoices):
    BROKEN = "broken", _("It is no picture or video, or is cut off.")
    TOO_LARGE = "too_large", _("It has more than 50 million pixels, or more than 500 MB.")
    TOO_SLOW = "too_slow", _("Reading it takes too long.")
    EMPTY = "empty", _("It holds no frame that can be read.")
    NEEDS_PYAV = "needs_pyav", _("Videos need PyAV: install the extra “deep”.")
    UNFINISHED = "unfinished", _("Reading it was not finished: it may be made to harm.")


class UnreadablePicture(ValueError):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


def local_file(url: Any) -> Path | None:
    """The file under MEDIA_ROOT that an address of ours means; None for any other address."""
    if not isinstance(url, str) or not url:
        return None
    address = url.removeprefix(settings.SITE_URL.rstrip("/"))
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    relative = unquote(parts.path).removeprefix(settings.MEDIA_URL).lstrip("/")
    if parts.scheme or parts.netloc or "\0" in relative:
        return None
    root = Path(settings.MEDIA_ROOT).resolve()
    path = (root / relative).resolve()
    return path if path.is_relative_to(root) and path.is_file() else None


def open_small(path: Path, *, width: int, height: int) -> Image.Image:
    """RGB, upright, decoded at about the size asked for or larger; transparency becomes white. Raises
    UnreadablePicture.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadablePicture(Trouble.TOO_LARGE)
            image.draft("RGB", (width, height))  # a JPEG is then decoded at a fraction of its size
            image.load()
            layers = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadablePicture(Trouble.BROKEN) from error
    white = Image.new("RGBA", layers.size, "white")
    return Image.alpha_composite(white, layers).convert("RGB")
