"""How many parts an SMS has. Source: 3GPP TS 23.038 (GSM 7-bit alphabet), TS 23.040 (concatenation)."""

from dataclasses import dataclass

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "^{}\\[~]|€\f"  # each takes two places, and is never parted
_SEPTETS = {**dict.fromkeys(_BASIC, 1), **dict.fromkeys(_EXTENDED, 2)}


@dataclass(frozen=True)
class Segments:
    """`units`: septets or UTF-16 code units; `room`: what is left in the last part."""

    encoding: str
    units: int
    parts: int
    room: int


def count_segments(text: str) -> Segments:
    if all(character in _SEPTETS for character in text):
        return _count("GSM-7", [_SEPTETS[character] for character in text], single=160, part=153)
    # Astral characters are two code units that are never parted either.
    return _count("UCS-2", [2 if ord(character) > 0xFFFF else 1 for character in text], single=70, part=67)


def _count(encoding: str, widths: list[int], *, single: int, part: int) -> Segments:
    units = sum(widths)
    if units <= single:
        return Segments(encoding, units, 1, single - units)
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return Segments(encoding, units, parts, part - used)
