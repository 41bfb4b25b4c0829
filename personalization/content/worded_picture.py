"""A picture with words of one customer in it: its address names all that is drawn, sealed.

The words are encrypted in the address, always to the same letters (AES-SIV, RFC 5297): the same message has
the same address, and its picture can be kept. Nobody else can read them or make an address of ours.
"""

import base64
import binascii
import re
import unicodedata
import zlib
from dataclasses import dataclass
from functools import lru_cache
from html import unescape

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from markupsafe import Markup

from personalization.access.encryption import derive_key
from personalization.catalog.pictures import local_file
from personalization.content.countdown import moment_in, read_color
from personalization.content.fonts import drawable

MAX_SIDE, MIN_SIDE = 1_200, 16
MAX_LETTER, MIN_LETTER = 160, 8
MAX_WORDS, MAX_LINES = 300, 8
MAX_TOKEN = 1_800
ALIGNED = ("left", "center", "right")
# Letters that turn the direction of what follows, and others that are not printed.
_UNPRINTED = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")


class WordedPicture(msgspec.Struct, frozen=True, array_like=True):
    """`ends_at`: seconds since the epoch; what is left until then stands below the words (0: nothing).
    `size` is the height of letters in pixels, made smaller until the words fit.
    """

    width: int
    height: int
    words: str
    size: int = 40
    color: str = "111827"
    background: str = "ffffff"
    image: str = ""
    align: str = "center"
    ends_at: int = 0

    @property
    def url(self) -> str:
        packed = zlib.compress(msgspec.msgpack.encode(self), 9)
        token = base64.urlsafe_b64encode(_box().encrypt(packed, _ABOUT)).rstrip(b"=").decode()
        return f"{settings.SITE_URL}/t/p/{token}.{'jpg' if self.image else 'png'}"


def read_worded_picture(token: str) -> WordedPicture | None:
    """None for what was not made by us."""
    if not 0 < len(token) <= MAX_TOKEN or not token.isascii():
        return None
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        packed = _box().decrypt(sealed, _ABOUT)
        return msgspec.msgpack.decode(zlib.decompress(packed), type=WordedPicture)
    except (binascii.Error, ValueError, InvalidTag, zlib.error, msgspec.MsgspecError):
        return None


@dataclass(frozen=True)
class Wishes:
    """As a template says them."""

    width: object = 600
    height: object = 200
    size: object = 40
    color: object = "#111827"
    background: object = "#ffffff"
    image: object = ""
    align: object = "center"
    until: object = None


def picture_of(words: object, wishes: Wishes, *, zone: str) -> WordedPicture:
    """Raises ValueError for what cannot be drawn. Words that are too long or cannot be printed are cut: a
    customer's name never fails a message.
    """
    width = _whole(wishes.width, "width", MIN_SIDE, MAX_SIDE)
    height = _whole(wishes.height, "height", MIN_SIDE, MAX_SIDE)
    size = _whole(wishes.size, "size", MIN_LETTER, MAX_LETTER)
    image, align = str(wishes.image or ""), str(wishes.align)
    if image and local_file(image) is None:
        raise ValueError(f"{image[:80]!r} is no file of the media folder")
    if align not in ALIGNED:
        raise ValueError(f"align is one of {', '.join(ALIGNED)}")
    ends_at = moment_in(wishes.until, zone=zone) if wishes.until else 0  # type: ignore[arg-type]
    return WordedPicture(
        width, height, clean_words(words), size, read_color(str(wishes.color)),
        read_color(str(wishes.background)), image, align, ends_at,
    )  # fmt: skip


def clean_words(words: object) -> str:
    """Lines of letters that some font has; what a `capture` escaped for HTML is read back."""
    text = unescape(str(words)) if isinstance(words, Markup) else str(words or "")
    text = _UNPRINTED.sub("", unicodedata.normalize("NFC", text[: 4 * MAX_WORDS]))
    lines = (" ".join(line.split()) for line in text.splitlines())
    kept = ["".join(c for c in line if c.isprintable()) for line in lines if line][:MAX_LINES]
    whole = "\n".join(drawable(line) for line in kept).strip()
    return whole if len(whole) <= MAX_WORDS else whole[: MAX_WORDS - 1] + "…"


def _whole(value: object, name: str, least: int, most: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not least <= number <= most:
        raise ValueError(f"{name}: a whole number from {least} to {most}")
    return number


_ABOUT = [b"bespoke worded picture 1"]


def _box() -> AESSIV:
    return _made(settings.LINK_KEY)


@lru_cache(maxsize=4)
def _made(secret: str) -> AESSIV:
    return AESSIV(derive_key(secret, purpose="worded pictures"))
