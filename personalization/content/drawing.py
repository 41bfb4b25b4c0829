"""Words into a picture: as large as they fit, in a font that has them, over a color or a picture."""

import io
from collections.abc import Sequence

import structlog
from PIL import Image, ImageDraw, ImageOps

from personalization.catalog.pictures import UnreadablePicture, local_file, open_small
from personalization.content.countdown import MAX_DAYS, SECONDS_PER_DAY, clock
from personalization.content.fonts import Font, font_for
from personalization.content.worded_picture import MIN_LETTER, WordedPicture

log = structlog.get_logger(__name__)
MARGIN = 0.05  # of the shorter side
LINE = 1.3  # height of a line, in letters


def draw(picture: WordedPicture, *, now: int) -> bytes:
    """JPEG over a picture, else PNG. A picture behind that is gone or broken gives way to the background."""
    canvas = _behind(picture)
    lines = [line for line in picture.words.split("\n") if line]
    if picture.ends_at:
        lines.append(clock(max(0, min(picture.ends_at - now, MAX_DAYS * SECONDS_PER_DAY))))
    _write(canvas, lines, picture)
    out = io.BytesIO()
    if picture.image:
        canvas.save(out, "JPEG", quality=85, optimize=True)
    else:
        canvas.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def _behind(picture: WordedPicture) -> Image.Image:
    size = (picture.width, picture.height)
    path = local_file(picture.image)
    if path is not None:
        try:
            return ImageOps.fit(open_small(path, width=size[0], height=size[1]), size)
        except UnreadablePicture as error:
            log.warning("picture_without_background", error=str(error))
    return Image.new("RGB", size, f"#{picture.background}")


def _write(canvas: Image.Image, lines: Sequence[str], picture: WordedPicture) -> None:
    margin = round(MARGIN * min(canvas.size))
    width, height = canvas.width - 2 * margin, canvas.height - 2 * margin
    size = _largest_fitting(lines, picture.size, width, height)
    folded = _folded(lines, size, width)[: max(1, int(height / (size * LINE)))]
    drawing, font = ImageDraw.Draw(canvas), font_for("".join(lines), size)
    top = canvas.height / 2 - len(folded) * size * LINE / 2
    at, anchor = {"left": (margin, "l"), "right": (canvas.width - margin, "r")}.get(
        picture.align, (canvas.width / 2, "m")
    )
    outline = max(1, size // 14) if picture.image else 0  # readable over whatever the picture shows
    for place, line in enumerate(folded):
        drawing.text(
            (at, top + (place + 0.5) * size * LINE), line, fill=f"#{picture.color}",
            font=font, anchor=f"{anchor}m",
            stroke_width=outline, stroke_fill=f"#{picture.background}",
        )  # fmt: skip


def _largest_fitting(lines: Sequence[str], size: int, width: int, height: int) -> int:
    """At most `size`, and the smallest size there is where nothing fits."""
    low, high = MIN_LETTER, size + 1
    while low < high - 1:
        middle = (low + high) // 2
        folded, font = _folded(lines, middle, width), font_for("".join(lines), middle)
        widest = max((font.getlength(line) for line in folded), default=0.0)
        fits = len(folded) * middle * LINE <= height and widest <= width
        low, high = (middle, high) if fits else (low, middle)
    return low


def _folded(lines: Sequence[str], size: int, width: int) -> list[str]:
    """Broken between words; where there are none (Chinese, or one endless word) between letters."""
    folded, font = [], font_for("".join(lines), size)
    for line in lines:
        rest = line
        while rest:
            taken = _fitting(rest, font, width)
            folded.append(rest[:taken].strip())
            rest = rest[taken:].strip()
    return folded


def _fitting(text: str, font: Font, width: int) -> int:
    """How many letters go into a line: at least one."""
    # No letter is narrower than a pixel.
    low, high = 1, min(len(text), width) + 1
    while low < high - 1:
        middle = (low + high) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width else (low, middle)
    if low == len(text):
        return low
    space = text.rfind(" ", 0, low + 1)
    is_latin = text[low - 1 : low + 1].isascii()
    return space if is_latin and space > 0 else low
