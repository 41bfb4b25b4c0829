"""Phrase sets as messages have them: the rules of `grammar` with Liquid's values and conditions in them.

A frozen set is a plain dict: `version`, `language` (of the text for everybody), `memory`, and `texts` by
language.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from django.utils.translation import gettext as _
from liquid.exceptions import LiquidError

from personalization.content.errors import MissingValue, RenderError
from personalization.content.grammar.drawing import Drawn, draw
from personalization.content.grammar.reading import (
    MAX_LENGTH,
    MAX_PHRASES,
    MAX_RULES,
    MAX_WORK,
    Mistake,
    ReadingError,
    Rules,
    read_rules,
)
from personalization.content.language import TEXT, MessageTemplate
from personalization.content.localized import fallbacks

NAMED = re.compile(
    r"\{%-?\s{0,20}generate\s{1,20}(?P<quote>[\"'])(?P<name>[a-z0-9][a-z0-9_-]{0,49})(?P=quote)"
)


def names_in(*sources: str) -> set[str]:
    """Phrase sets that the texts name."""
    return {tag["name"] for source in sources for tag in NAMED.finditer(source)}


@lru_cache(maxsize=64)
def rules_of(source: str) -> Rules:
    """Raises ReadingError."""
    return read_rules(source)


@lru_cache(maxsize=4096)
def _template(source: str) -> MessageTemplate:
    return cast(MessageTemplate, TEXT.from_string(source))


def _as_test(condition: str) -> str:
    return "{% if " + condition + " %}1{% endif %}"


class Speaker:
    """A `grammar.drawing.Voice`: what one customer's values make of conditions and phrases."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def holds(self, condition: str) -> bool:
        try:
            return _template(_as_test(condition)).render_values(self._values) == "1"
        except RenderError:
            return False  # compares what cannot be compared

    def say(self, piece: str) -> str | None:
        """None also for what a filter cannot use, and for what is longer than any phrase."""
        try:
            words = _template(piece).render_values(self._values, must_print=True)
        except (MissingValue, RenderError):
            return None
        return words if len(words) <= MAX_LENGTH else None


@dataclass(frozen=True)
class Generated:
    """`drawn` is None when no phrase of `start` could be taken; `language` "" is the text for everybody."""

    language: str
    drawn: Drawn | None

    @property
    def text(self) -> str:
        return " ".join(self.drawn.text.split()) if self.drawn else ""


def generate(
    frozen: Mapping[str, Any], values: Mapping[str, Any], *, seed: str,
    recent: Mapping[str, int] | None = None, is_explained: bool = False,
) -> Generated:  # fmt: skip
    """The text of a frozen set for these values; see `grammar.drawing.draw`. Raises ReadingError."""
    customer = values.get("customer") or {}
    texts: Mapping[str, str] = frozen["texts"]
    language = next((one for one in fallbacks(customer.get("language")) if one in texts), "")
    # Numbers and plurals go with the text, not with the reader who has none of their own.
    speaks = {**customer, "language": language or frozen.get("language") or "en"}
    drawn = draw(
        rules_of(texts[language]), Speaker({**values, "customer": speaks}), seed=seed, recent=recent,
        is_explained=is_explained,
    )  # fmt: skip
    return Generated(language, drawn)


def mistakes_in(source: str) -> Iterator[str]:
    """What its author has to mend, each with its line."""
    try:
        rules = read_rules(source)
    except ReadingError as error:
        yield from (sentence(one) for one in error.mistakes)
        return
    for phrases in rules.values():
        for phrase in phrases:
            pieces = [part for part in phrase.parts if isinstance(part, str) and part.startswith("{{")]
            if phrase.when:
                pieces.append(_as_test(phrase.when))
            for piece in pieces:
                if trouble := _trouble(piece, phrase.when):
                    yield sentence(Mistake(phrase.line, "value", trouble))


def _trouble(piece: str, condition: str) -> str:
    if "%}" in condition or "{%" in condition:
        return condition
    try:
        template = TEXT.from_string(piece)
        unknown = set(template.analyze(include_partials=False).filters) - set(TEXT.filters)
    except (LiquidError, RecursionError) as error:
        return str(getattr(error, "message", "")) or piece
    return ", ".join(sorted(unknown))


def sentence(mistake: Mistake) -> str:
    texts = {
        "neither_rule_nor_phrase": _("A line is “rule:” or begins with “- ”: %(about)s"),
        "rule_twice": _("There are two rules “%(about)s”."),
        "phrase_before_rule": _("Write the name of a rule first, for example “start:”."),
        "phrase_too_long": _("A phrase has %(max_length)s characters at most."),
        "phrase_twice": _("This phrase stands there twice: %(about)s"),
        "option_twice": _("@%(about)s stands there twice."),
        "weight": _("A weight is a number above 0 and at most 1000, not “%(about)s”."),
        "form": _("A form has small letters, digits, - and _, not “%(about)s”."),
        "bracket": _("Write [rule] or [rule with other], and \\[ for a bracket: %(about)s"),
        "liquid": _("A phrase holds {{ values }} only; conditions follow @when: %(about)s"),
        "no_start": _("The text begins with the rule “start:”; write one."),
        "too_many": _("There are more than %(max_rules)s rules or %(max_phrases)s phrases."),
        "empty_rule": _("The rule “%(about)s” has no phrase."),
        "unknown_rule": _("There is no rule “%(about)s”."),
        "circle": _("The rule “%(about)s” leads back to itself."),
        "too_much_work": _("One text may have to look at more than %(max_work)s phrases; make it smaller."),
        "value": _("This value or condition is not valid: %(about)s"),
    }
    facts = {
        "about": mistake.about, "max_length": MAX_LENGTH, "max_rules": MAX_RULES,
        "max_phrases": MAX_PHRASES, "max_work": MAX_WORK,
    }  # fmt: skip
    return _("Line %(line)s: %(text)s") % {"line": mistake.line, "text": texts[mistake.kind] % facts}
