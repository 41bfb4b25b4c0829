"""The plain-text part, derived once from the compiled HTML with its Liquid still hidden."""

import re

from inscriptis import get_text
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.model.config import ParserConfig

from personalization.content.placeholders import MARK, Token, restore

# Tables of mail are layout; as tables their columns would be padded with blanks around hidden Liquid.
LAYOUT = re.compile(r"<(/?)(?:table|tbody|thead|tfoot|tr|td|th)\b[^>]*>", re.IGNORECASE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
HEAD = re.compile(r"<head\b.*?</head\s*>", re.DOTALL | re.IGNORECASE)
IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
EMPTY_LINK = re.compile(r"\[\s*\]\([^)\n]*\)")
LINK = re.compile(r"\]\((\{[{%][^)\n]*?)\)")  # whose very start is a value; a fixed scheme needs no guard
CONFIG = ParserConfig(css=STRICT_CSS_PROFILE, display_links=True, display_anchors=False)


def derive_text(html: str, tokens: list[Token]) -> str:
    """Plain text with its Liquid: links as [text](address), pictures left out, few empty lines."""
    bare = IMAGE.sub("", HEAD.sub("", COMMENT.sub("", html)))
    text = EMPTY_LINK.sub("", get_text(LAYOUT.sub(r"<\1div>", bare), CONFIG))
    lines: list[str] = []
    for line in text.splitlines():
        line = line.strip()
        if line or (lines and lines[-1]):
            lines.append(line)
    return _guard_links(restore(_join_control_lines(lines, tokens).strip() + "\n", tokens))


def _guard_links(text: str) -> str:
    return LINK.sub(r"]({% guard_url link %}\1{% endguard_url %})", text)


def _join_control_lines(lines: list[str], tokens: list[Token]) -> str:
    """A line of nothing but block tags must leave no empty line behind when it is rendered."""
    parts: list[str] = []
    for line in lines:
        marks = list(MARK.finditer(line))
        is_control = bool(marks) and not MARK.sub("", line).strip()
        if is_control and not any(tokens[int(mark[1])].is_output for mark in marks):
            parts.append("".join(mark[0] for mark in marks))
        else:
            parts.append(line + "\n")
    return "".join(parts)
