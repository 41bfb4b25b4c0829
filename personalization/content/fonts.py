"""Which font has the letters of a line: the one that comes with Pillow, the shop's own, the system's."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
# Where systems keep fonts with Chinese, Japanese and Korean letters; PICTURE_FONTS names others.
USUAL_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
)
_NOWHERE = "\U0010fffe"  # no font has it: what is drawn for it stands for every letter that is missing


def drawable(text: str) -> str:
    """Without the letters that no font has."""
    return "".join(c for c in text if any(_has(path, c) for path in _font_paths()))


def font_for(line: str, size: int) -> Font:
    """The first that has all letters, else the one that lacks fewest."""
    return _loaded(_font_path(line), size)


def _font_path(line: str) -> str:
    return min(_font_paths(), key=lambda path: _lacking(line, path))


def _font_paths() -> tuple[str, ...]:
    return _found(tuple(settings.PICTURE_FONTS))


@lru_cache(maxsize=8)
def _found(named: tuple[str, ...]) -> tuple[str, ...]:
    """ "" is the font that comes with Pillow."""
    return ("", *(path for path in (*named, *USUAL_FONTS) if Path(path).is_file()))


@lru_cache(maxsize=4_096)
def _lacking(line: str, path: str) -> int:
    return sum(not _has(path, letter) for letter in set(line))


def _has(path: str, letter: str) -> bool:
    return letter.isspace() or _drawn(path, letter) != _drawn(path, _NOWHERE)


@lru_cache(maxsize=20_000)
def _drawn(path: str, letter: str) -> bytes:
    mask = _loaded(path, 20).getmask(letter)
    return bytes(str(mask.size), "ascii") + bytes(mask)


@lru_cache(maxsize=128)
def _loaded(path: str, size: int) -> Font:
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)
