"""A picture that counts down to a moment, drawn whenever a message is opened: its address names the moment
and two colors, signed; nothing about a person stands in it, and it can be made for no other moment than ours.
"""

import base64
import binascii
import hmac
import io
import re
import struct
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from PIL import Image, ImageDraw, ImageFont

from personalization.context.times import is_zone

WIDTH, HEIGHT = 320, 72  # pixels, drawn for screens of twice the density: show it at half of that or as it is
FRAMES = 60  # seconds shown one after the other; then it stands still
SECONDS_PER_DAY = 86_400
MAX_DAYS = 99
_BODY = struct.Struct(">BQ3s3s")
_VERSION, _MAC_BYTES = 1, 16
_TOKEN_LENGTH = 42
_COLOR = re.compile(r"#?([0-9a-fA-F]{6})")


@dataclass(frozen=True)
class Countdown:
    """`ends_at` in seconds since the epoch; colors as six hexadecimal digits."""

    ends_at: int
    color: str = "111827"
    background: str = "ffffff"

    @property
    def url(self) -> str:
        body = _BODY.pack(_VERSION, self.ends_at, bytes.fromhex(self.color), bytes.fromhex(self.background))
        token = base64.urlsafe_b64encode(body + _mac(body)).rstrip(b"=").decode()
        return f"{settings.SITE_URL}/t/n/{token}.gif"


def read_countdown(token: str) -> Countdown | None:
    """None for what was not signed by us, or is spelled otherwise."""
    if len(token) != _TOKEN_LENGTH or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, mac = raw[: _BODY.size], raw[_BODY.size :]
    is_ours = hmac.compare_digest(mac, _mac(body))
    if not is_ours or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        return None
    version, ends_at, color, background = _BODY.unpack(body)
    return Countdown(ends_at, color.hex(), background.hex()) if version == _VERSION else None


def _mac(body: bytes) -> bytes:
    return hmac.digest(settings.LINK_KEY.encode(), b"bespoke countdown: " + body, "sha256")[:_MAC_BYTES]


def read_color(text: str) -> str:
    """Six digits in small letters. Raises ValueError."""
    found = _COLOR.fullmatch(text.strip())
    if found is None:
        raise ValueError("a color is six hexadecimal digits, like #111827")
    return found[1].lower()


def moment_in(value: datetime, *, zone: str) -> int:
    """Seconds since the epoch; a time without a zone is one of `zone`, else the shop's. Raises ValueError."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZoneInfo(zone if is_zone(zone) else settings.TIME_ZONE))
    if not 1970 < value.year < 2200:
        raise ValueError("the year is out of range")
    return int(value.timestamp())


@lru_cache(maxsize=64)
def draw_countdown(seconds: int, color: str, background: str) -> bytes:
    """A GIF that counts down by the second from `seconds`; at zero it stands still. Many open a message in
    the same second: they share one drawing."""
    left = max(0, min(seconds, MAX_DAYS * SECONDS_PER_DAY))
    palette = Image.new("P", (1, 1))
    palette.putpalette(_shades(background, color))
    frames = [_frame(left - n, palette) for n in range(min(FRAMES, left + 1))]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=1000, optimize=False)
    return out.getvalue()


def _frame(seconds: int, palette: Image.Image) -> Image.Image:
    """Gray levels are places of the palette: from background to color in 16 shades."""
    image = Image.new("L", (WIDTH, HEIGHT), 0)
    drawing = ImageDraw.Draw(image)
    drawing.text((WIDTH / 2, HEIGHT / 2), clock(seconds), fill=255, font=_font(), anchor="mm")
    levels = image.point(lambda level: level * 15 // 255)
    found = Image.frombytes("P", levels.size, levels.tobytes())
    found.putpalette(palette.getpalette() or [])
    return found


def clock(seconds: int) -> str:
    """ "2 : 03 : 04 : 05" for days, hours, minutes, seconds; without days on the last one."""
    days, rest = divmod(seconds, SECONDS_PER_DAY)
    parts = [f"{rest // 3600:02}", f"{rest // 60 % 60:02}", f"{rest % 60:02}"]
    return " : ".join([str(days), *parts] if days else parts)


def _shades(background: str, color: str) -> list[int]:
    start, end = bytes.fromhex(background), bytes.fromhex(color)
    return [round(a + (b - a) * n / 15) for n in range(16) for a, b in zip(start, end, strict=True)]


@lru_cache(maxsize=1)
def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """The font that comes with Pillow, pinned with it: the picture is the same on every machine."""
    return ImageFont.load_default(44)
