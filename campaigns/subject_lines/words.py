"""A subject line → the terms that the model knows it by. Pure Python."""

import re
from collections import Counter
from itertools import pairwise

VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
TAG = re.compile(r"\{%.*?%\}", re.DOTALL)
# Words; Chinese, Japanese and Korean signs one by one; marks that people put into subjects on purpose.
SIGN = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
TERM = re.compile(rf"{SIGN}|(?:(?!{SIGN})[^\W\d_])+|\d+|[!?%€$£¥]|[\u2600-\u27bf\U0001f300-\U0001faff]")


def terms_of(subject: str) -> Counter[str]:
    """Single terms and pairs of neighbors; a printed value counts as “<value>”, a number as “<number>”."""
    text = TAG.sub(" ", VALUE.sub(" \u2063 ", subject)).lower()
    found: list[str] = []
    for match in re.finditer(rf"\u2063|{TERM.pattern}", text):
        term = match[0]
        found.append("<value>" if term == "\u2063" else "<number>" if term.isdigit() else term)
    return Counter([*found, *(f"{a} {b}" for a, b in pairwise(found))])
