"""MJML to HTML, once per saved message, with the author's line in every complaint.

Liquid tags may stand directly between MJML elements (`{% for item in items %}<mj-section>…`): there they are
wrapped in `mj-raw`, without which MJML drops them.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import mjml
from django.utils.translation import gettext as _

from personalization.content.errors import Problem, TemplateError
from personalization.content.placeholders import MARK, Protected, line_of

FONTS = "Helvetica, Arial, 'PingFang SC', 'Microsoft YaHei', sans-serif"
MAX_SOURCE = 200_000  # characters
MAX_DEPTH = 60
# Elements whose children are elements only; text between those is dropped by MJML.
CONTAINERS = {
    "mj-body", "mj-wrapper", "mj-section", "mj-column", "mj-group", "mj-hero", "mj-navbar", "mj-social",
    "mj-accordion", "mj-accordion-element", "mj-carousel",
}  # fmt: skip
ENDINGS = {
    "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-raw", "mj-navbar-link",
    "mj-social-element", "mj-accordion-title", "mj-accordion-text", "mj-carousel-image",
}  # fmt: skip
HEAD = {
    "mjml", "mj-head", "mj-attributes", "mj-all", "mj-class", "mj-title", "mj-preview", "mj-style", "mj-font",
    "mj-breakpoint", "mj-html-attributes", "mj-selector", "mj-html-attribute",
}  # fmt: skip
KNOWN = CONTAINERS | ENDINGS | HEAD
VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
PIECE = re.compile(
    r"<!--.*?-->|<!DOCTYPE[^>]*>|</\s*(?P<close>[a-zA-Z][\w:.-]*)\s*>"
    r"|<(?P<open>[a-zA-Z][\w:.-]*)(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^'\"<>])*?)(?P<empty>/?)>|(?P<stray><)",
    re.DOTALL | re.IGNORECASE,
)
# Behind the name of a tag a line break is as good as a blank, wherever the tag stands.
BREAK = re.compile(rf"<(?:td|tr|table|tbody|div|p|a|img|span|h[1-6]) |{MARK.pattern}|\n")
LINE = 300  # characters, of which each piece of Liquid counts for so many:
PRINTED = 100


Complain = Callable[[int, str], None]


class _Open(NamedTuple):
    name: str
    line: int


# The compiler writes unusual characters of attributes as Rust would: line breaks are taken out before, the
# rest is put back afterwards.
BREAKS = re.compile(r"[\r\n\t]+")
RUST_ESCAPE = re.compile(r"\\u\{([0-9a-f]{1,6})\}")


def break_lines(html: str) -> str:
    """The same page with a line break instead of the blank behind some tag names, every few hundred
    characters: mail takes no line beyond 998 bytes, and here it is done once instead of for each message."""
    breaks, start, printed = [], 0, 0
    for found in BREAK.finditer(html):
        if found[0] == "\n":
            start, printed = found.end(), 0
        elif found[0].endswith(" "):
            if found.end() - start + printed > LINE:
                breaks.append(found.end() - 1)
                start, printed = found.end(), 0
        else:
            printed += PRINTED
    edges = [-1, *breaks, len(html)]
    return "\n".join(html[edges[i] + 1 : edges[i + 1]] for i in range(len(edges) - 1))


def is_mjml(body: str) -> bool:
    return re.search(r"<mjml[\s>]", body) is not None


def compile_layout(source: Protected) -> str:
    """The HTML of an MJML text, both with Liquid hidden. Raises TemplateError with lines."""
    wrapped, problems = _check_and_wrap(source)
    if problems:
        raise TemplateError(problems)
    try:
        # No fonts: the defaults would make every reader call a font server.
        html = RUST_ESCAPE.sub(
            lambda found: chr(int(found[1], 16)), mjml.mjml2html(_with_fonts(wrapped), fonts={})
        )
    except ValueError as error:
        raise TemplateError([Problem("body", _("MJML: %(error)s") % {"error": error})]) from error
    kept = {int(mark[1]) for mark in MARK.finditer(html)}
    lost = [
        Problem("body", _("MJML drops what stands here; move it into an mj-text or mj-raw."), token.line)
        for number, token in enumerate(source.tokens)
        if number not in kept and not token.text.startswith(("{% comment", "{%- comment", "{% #", "{%#"))
    ]
    if lost:
        raise TemplateError(lost)
    return html


def _with_fonts(text: str) -> str:
    """A default font of the reader's own machine, where the author chose none for all."""
    if re.search(r"<mj-all\b[^>]*font-family", text):
        return text
    fonts = f'<mj-attributes><mj-all font-family="{FONTS}" /></mj-attributes>'
    head = re.search(r"<mj-head\s*>", text)
    if head:
        # First, so that the author's own attributes come later and win.
        return f"{text[: head.end()]}{fonts}{text[head.end() :]}"
    return re.sub(r"(<mjml\b[^>]*>)", lambda m: f"{m[1]}<mj-head>{fonts}</mj-head>", text, count=1)


def _check_and_wrap(source: Protected) -> tuple[str, list[Problem]]:
    text, end = source.text, 0
    problems: list[Problem] = []
    stack: list[_Open] = []
    parts: list[str] = []

    def complain(position: int, message: str) -> None:
        problems.append(Problem("body", message, line_of(text, position, source.tokens)))

    for piece in PIECE.finditer(text):
        between = _between(text[end : piece.start()], stack, end, complain)
        parts += [between, BREAKS.sub(" ", piece[0]) if piece["open"] else piece[0]]
        end = piece.end()
        opened, closed = (piece["open"] or "").lower(), (piece["close"] or "").lower()
        inside_raw = any(entry.name == "mj-raw" for entry in stack)
        if piece["stray"] and not inside_raw:
            complain(piece.start(), _("A “<” that starts no tag: write &lt; instead."))
        elif opened:
            _check_element(opened, piece, stack, complain)
            if not piece["empty"] and opened not in VOID:
                stack.append(_Open(opened, line_of(text, piece.start(), source.tokens)))
            if len(stack) > MAX_DEPTH:
                complain(piece.start(), _("Elements are nested too deeply."))
                break
        elif closed and closed not in VOID:
            _close(closed, stack, piece.start(), complain)
    parts.append(text[end:])
    problems += [
        Problem("body", _("<%(name)s> is never closed.") % {"name": entry.name}, entry.line)
        for entry in stack
    ]
    return "".join(parts), problems


def _between(text: str, stack: list[_Open], position: int, complain: Complain) -> str:
    """Text between two tags: inside a container only Liquid may stand there, wrapped for MJML."""
    if not stack or stack[-1].name not in CONTAINERS or not text.strip():
        return text
    rest = MARK.sub("", text)
    if rest.strip():
        complain(position + text.index(rest.strip()[0]), _("Text outside of an mj-text is dropped by MJML."))
    return MARK.sub(lambda mark: f"<mj-raw>{mark[0]}</mj-raw>", text)


def _check_element(name: str, piece: re.Match[str], stack: list[_Open], complain: Complain) -> None:
    if name == "mj-include":
        complain(piece.start(), _("mj-include is not available."))
    elif name == "mj-font":
        complain(piece.start(), _("mj-font would make every reader load from another server."))
    elif name.startswith("mj") and name not in KNOWN:
        complain(piece.start(), _("<%(name)s> is no MJML element.") % {"name": name})
    elif name in ENDINGS | CONTAINERS and stack and stack[-1].name in {"mj-text", "mj-button", "mj-table"}:
        complain(
            piece.start(),
            _("<%(name)s> cannot stand inside <%(parent)s>.") % {"name": name, "parent": stack[-1].name},
        )
    elif not name.startswith("mj") and stack and stack[-1].name in CONTAINERS:
        complain(piece.start(), _("<%(name)s> must stand inside an mj-text or mj-raw.") % {"name": name})


def _close(name: str, stack: list[_Open], position: int, complain: Complain) -> None:
    if stack and stack[-1].name == name:
        stack.pop()
        return
    if any(entry.name == name for entry in stack):
        while stack[-1].name != name:
            entry = stack.pop()
            complain(position, _("<%(name)s> of line %(line)s is not closed here.") % entry._asdict())
        stack.pop()
    else:
        complain(position, _("</%(name)s> closes nothing.") % {"name": name})
