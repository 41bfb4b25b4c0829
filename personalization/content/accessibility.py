"""What of a rendered message somebody could not read: hints for its author, never a refusal.

Contrast by WCAG 2.2, 1.4.3, from inline colors as mail has them; a color that cannot be told, or a picture
behind the text, is not judged.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from html.parser import HTMLParser

from django.utils.translation import gettext as _

from personalization.content.errors import Problem

EMPTY = frozenset({"img", "br", "hr", "meta", "link", "input", "col", "area", "base", "source", "wbr"})
UNSEEN = frozenset({"style", "script", "title", "head"})
VAGUE = frozenset(
    {
        "click here",
        "here",
        "read more",
        "more",
        "link",
        "this link",
        "点击这里",
        "点这里",
        "点击",
        "这里",
        "更多",
    }
)
NAMED = {
    "white": "#ffffff", "black": "#000000", "red": "#ff0000", "blue": "#0000ff", "green": "#008000",
    "gray": "#808080", "grey": "#808080", "yellow": "#ffff00", "silver": "#c0c0c0", "orange": "#ffa500",
}  # fmt: skip
HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})$")
RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$")
PIXELS = re.compile(r"([\d.]{1,8})px")
ENOUGH, ENOUGH_FOR_LARGE = 4.5, 3.0
LARGE_PX, LARGE_BOLD_PX, SMALLEST_PX = 24.0, 18.66, 12.0
MOST_SHOWN = 40

Color = tuple[int, int, int]


@dataclass(frozen=True)
class _Style:
    """Colors are None where they cannot be told."""

    color: Color | None = (0, 0, 0)
    behind: Color | None = (255, 255, 255)
    size_px: float = 16.0
    is_bold: bool = False
    is_hidden: bool = False


def check_accessibility(html: str) -> list[Problem]:
    """Warnings only, each kind once with how often and the first place."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [Problem("body", text, level="warning") for text in reader.sentences()]


def contrast(one: Color, other: Color) -> float:
    """1 to 21. Source: WCAG 2.2, "contrast ratio"."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    parts = [c / 255 for c in color]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def read_color(text: str) -> Color | None:
    """None for what is no plain opaque color."""
    text = NAMED.get(text.strip().lower(), text.strip().lower())
    if found := HEX.match(text):
        digits = found[1] if len(found[1]) == 6 else "".join(c * 2 for c in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if (found := RGB.match(text)) and all(int(c) < 256 for c in found.groups()):
        return int(found[1]), int(found[2]), int(found[3])
    return None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, _Style]] = []
        self._language = ""
        self._found: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._level = 0
        self._link: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "html":
            self._language = values.get("lang", "")
        if tag == "img":
            self._image(values)
        if tag == "a" and values.get("href"):
            self._link = []
        if tag == "table" and values.get("role") not in ("presentation", "none"):
            self._note("table", "")
        if re.fullmatch(r"h[1-6]", tag):
            level = int(tag[1])
            if level > self._level + 1:
                self._note("heading", tag)
            self._level = level
        if tag not in EMPTY:
            self._open.append((tag, _styled(self._style, tag, values)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            text = " ".join("".join(self._link).split())
            if not text:
                self._note("empty link", "")
            elif text.lower().strip(" .!→»>") in VAGUE:
                self._note("vague link", text)
            self._link = None
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        text, style = " ".join(data.split()), self._style
        if not text or style.is_hidden or (self._open and self._open[-1][0] in UNSEEN):
            return
        if self._link is not None:
            self._link.append(data)
        if style.size_px < SMALLEST_PX:
            self._note("small", text)
        if style.color is None or style.behind is None:
            return
        is_large = style.size_px >= LARGE_PX or (style.is_bold and style.size_px >= LARGE_BOLD_PX)
        if contrast(style.color, style.behind) < (ENOUGH_FOR_LARGE if is_large else ENOUGH):
            self._note("contrast", text)

    @property
    def _style(self) -> _Style:
        return self._open[-1][1] if self._open else _Style()

    def _image(self, values: dict[str, str]) -> None:
        alt = values.get("alt")
        if self._link is not None and alt:
            self._link.append(alt)
        if alt is None and not self._style.is_hidden:
            self._note("alt", values.get("src", ""))

    def _note(self, kind: str, first: str) -> None:
        self._found[kind] += 1
        self._first.setdefault(kind, first[:MOST_SHOWN])

    def sentences(self) -> list[str]:
        words = {
            "alt": _("Pictures without alternative text (alt): %(n)s."),
            "empty link": _("Links that a screen reader cannot name (no text, no alt): %(n)s."),
            "vague link": _("Links that do not say where they lead (“%(first)s”): %(n)s."),
            "heading": _("A heading skips a level (%(first)s)."),
            "table": _('Tables for layout without role="presentation": %(n)s. They are read out as tables.'),
            "small": _("Text smaller than 12 px (“%(first)s”): %(n)s."),
            "contrast": _("Text that hardly differs from its background (“%(first)s”): %(n)s."),
        }
        found = [
            words[kind] % {"n": n, "first": self._first[kind]}
            for kind, n in sorted(self._found.items())
        ]  # fmt: skip
        if self._language in ("", "und"):
            found.append(_("The language is not named (lang): screen readers have to guess how to read it."))
        return found


def _styled(outer: _Style, tag: str, values: dict[str, str]) -> _Style:
    css = {
        name.strip().lower(): value.strip()
        for name, _colon, value in (part.partition(":") for part in values.get("style", "").split(";"))
    }
    style = outer
    if tag in ("b", "strong", "h1", "h2", "h3", "th"):
        style = replace(style, is_bold=True)
    if weight := css.get("font-weight", ""):
        style = replace(
            style, is_bold=weight in ("bold", "bolder") or (weight.isdigit() and int(weight) >= 700)
        )
    if "color" in css:
        style = replace(style, color=read_color(css["color"]))
    elif tag == "a" and values.get("href"):
        style = replace(style, color=(0, 0, 238))
    if size := PIXELS.match(css.get("font-size", "")):
        style = replace(style, size_px=float(size[1]) if size[1].count(".") < 2 else style.size_px)
    behind = css.get("background-color") or css.get("background") or values.get("bgcolor", "")
    if values.get("background") or "url(" in css.get("background", "") or "background-image" in css:
        style = replace(style, behind=None)
    elif behind and behind.split()[0] not in ("transparent", "none", "inherit"):
        style = replace(style, behind=read_color(behind.split(" ")[0] if "(" not in behind else behind))
    hidden = css.get("display") == "none" or css.get("visibility") == "hidden" or "hidden" in values
    return replace(style, is_hidden=True) if hidden else style
