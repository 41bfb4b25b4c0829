"""Liquid in a suggested text: only the placeholders of the source, or one of those that were offered."""

import re
from collections.abc import Sequence

from liquid.exceptions import LiquidError

from personalization.content.language import TEXT

PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
STRAY = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
# What stands in the place of a missing value is text, to be checked like all of it.
DEFAULT = re.compile(r"(\bdefault:\s*)([\"'])([^\"'{}%<>]{0,60})\2")
GAP = " \ufffc "


def split(text: str) -> tuple[list[str], str]:
    """The placeholders as they count for comparing, and the words around and inside of them."""
    found, defaults = [], []
    for match in PLACEHOLDER.finditer(text):
        defaults += [default[2] for default in DEFAULT.findall(match[0])]
        found.append(re.sub(r"\s+", "", DEFAULT.sub(r'\1""', match[0])))
    return found, " ".join([PLACEHOLDER.sub(GAP, text), *defaults])


def wrong_placeholders(text: str, *, source: str, offered: Sequence[str]) -> list[str]:
    """Those of `text` that nobody allowed, or a word about what is wrong."""
    ours = split(source)[0]
    allowed = {*ours, *(one for text_ in offered for one in split(text_)[0])}
    shown = PLACEHOLDER.findall(text)
    used = split(text)[0]
    wrong = [shown[i] for i, one in enumerate(used) if one not in allowed]
    tags = [one for one in used if one.startswith("{%")]
    if not wrong and tags and tags != [one for one in ours if one.startswith("{%")]:
        wrong = [shown[used.index(tags[0])]]
    wrong += STRAY.findall(PLACEHOLDER.sub("", text))
    if not wrong:
        try:
            TEXT.from_string(text)
        except LiquidError:
            wrong = ["{{ }}"]
    return wrong
