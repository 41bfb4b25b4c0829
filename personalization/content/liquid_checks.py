"""Liquid as its author wrote it: what is wrong with it, and in which line."""

import re
from typing import Any

from django.utils.translation import gettext as _
from liquid.exceptions import LiquidError

from personalization.content.errors import Problem, TemplateError
from personalization.content.expanding import find_unclosed
from personalization.content.language import HTML, MessageTemplate
from personalization.content.layout import MAX_SOURCE
from personalization.content.placeholders import Protected, line_of, protect

# Of one tag: reading thousands of filters or conditions in it would take long.
MAX_TAG = 5_000
TAG_START = re.compile(r"\{[{%]")
MARKUP_LITERAL = re.compile(r"\"[^\"]*<[^\"]*\"|'[^']*<[^']*'")


def check_liquid(name: str, source: str) -> list[Problem]:
    """Syntax of the source itself, so that lines are the author's."""
    if len(source) > MAX_SOURCE:
        return [Problem(name, _("The text is too long (over %(limit)s characters).") % {"limit": MAX_SOURCE})]
    if unclosed := find_unclosed(source):
        return [Problem(name, _("%(start)s is never closed.") % {"start": unclosed[0]}, unclosed[1])]
    if (line := _line_of_long_tag(source)) is not None:
        return [Problem(name, _("This tag is too long: split it."), line)]
    try:
        used = HTML.from_string(source).analyze(include_partials=False).filters
    except LiquidError as error:
        return [Problem(name, sentence_of(error.message), _place(error) or _place_of_output(source))]
    except RecursionError:
        return [Problem(name, _("The template is nested too deeply."))]
    unknown = [
        Problem(
            name, _("There is no filter “%(name)s”.") % {"name": word}, source.count("\n", 0, at.index) + 1
        )
        for word, places in used.items()
        for at in places
        if word not in HTML.filters
    ]
    return unknown + [
        Problem(name, _("Write HTML outside of the Liquid tag, not inside of its quotes."), token.line)
        for token in protect(source).tokens
        if MARKUP_LITERAL.search(token.text) and not token.text.startswith(("{% comment", "{% raw", "{% doc"))
    ]


def _line_of_long_tag(source: str) -> int | None:
    at = 0
    while start := TAG_START.search(source, at):
        end = source.find("}}" if start[0] == "{{" else "%}", start.end())
        if end < 0:
            return None
        if end - start.start() > MAX_TAG:
            return source.count("\n", 0, start.start()) + 1
        at = end
    return None


def _place(error: LiquidError) -> int | None:
    try:
        found = error.context()
    except ValueError:  # the end of the text
        return error.token.source.count("\n") + 1 if error.token else None
    return found[0] if found else None


def _place_of_output(source: str) -> int | None:
    """The line of the first printed value that does not parse by itself: some errors come without a place."""
    for token in protect(source).tokens:
        if token.is_output:
            try:
                HTML.from_string(token.text)
            except LiquidError:
                return token.line
    return None


def sentence_of(message: object) -> str:
    text = str(message)
    return text[:1].upper() + text[1:]


def parse_part(language: Any, name: str, source: str) -> MessageTemplate:
    try:
        template: MessageTemplate = language.from_string(source)
    except LiquidError as error:
        raise TemplateError([Problem(name, sentence_of(error.message))]) from error
    return template


def must_be_closed(source: Protected) -> None:
    """An unclosed comment or style swallows the rest, and makes every search for its end a long one."""
    text = source.text.lower()
    for start, end in (("<!--", "-->"), ("<style", "</style")):
        position = text.rfind(start)
        if position > text.rfind(end):
            line = line_of(source.text, position, source.tokens)
            raise TemplateError([Problem("body", _("%(start)s is never closed.") % {"start": start}, line)])
