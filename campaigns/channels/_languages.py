"""A message written in several languages: still one message, of which each customer gets one text.

`translations` in a message's content holds by language the parts written in it; a part that is not is taken
from the nearest language that has it: zh-hant-tw → zh-hant → zh → the text for everybody ("").
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from personalization.content.errors import Problem
from personalization.content.localized import fallbacks
from personalization.content.messages import must_agree
from personalization.content.needs import Need

PARTS = ("subject", "preheader", "body")
Content = Mapping[str, Any]


def in_language(content: Content, language: object) -> dict[str, Any]:
    """What somebody of this language gets: content without translations."""
    own = {key: value for key, value in content.items() if key != "translations"}
    written = content.get("translations") or {}
    for code in reversed(fallbacks(language)):
        text = written.get(code, {})
        own |= {part: text[part] for part in PARTS if _is_written(text, part)}
        own["fields"] = {**(own.get("fields") or {}), **(text.get("fields") or {})}
    return own


def nearest(codes: Container[str], language: object) -> str:
    """Which of the languages somebody of this one gets; "" is the text for everybody."""
    return next((code for code in fallbacks(language) if code in codes), "")


def texts_in(content: Content) -> dict[str, dict[str, Any]]:
    """Each text by its language, the one for everybody first."""
    return {code: in_language(content, code) for code in ("", *(content.get("translations") or {}))}


class Multilingual:
    """The templates of a message by language; renders the one that the customer reads."""

    def __init__(self, texts: Mapping[str, Any]) -> None:
        self.texts = texts
        self.needs: tuple[Need, ...] = tuple(
            {need.key: need for text in reversed([*texts.values()]) for need in text.needs}.values()
        )
        self.source = "\n".join(text.source for text in texts.values())

    def language_of(self, customer: Mapping[str, Any]) -> str:
        return nearest(self.texts, customer.get("language"))

    def of(self, customer: Mapping[str, Any]) -> Any:
        return self.texts[self.language_of(customer)]

    def render(self, context: Mapping[str, Any]) -> Any:
        return self.of(context["customer"]).render(context)

    def uses(self, name: str) -> bool:
        return any(text.uses(name) for text in self.texts.values())


def text_for(template: Any, customer: Mapping[str, Any]) -> Any:
    """The template of the one text that this customer gets."""
    return template.of(customer) if isinstance(template, Multilingual) else template


def language_for(template: Any, customer: Mapping[str, Any]) -> str | None:
    """None for a message that has one text."""
    return template.language_of(customer) if isinstance(template, Multilingual) else None


def templates_of(template: Any) -> Mapping[str, Any]:
    """By language, the text for everybody under ""."""
    return template.texts if isinstance(template, Multilingual) else {"": template}


def compile_texts_in(content: Content, compile_text: Callable[[Content], Any]) -> Any:
    """Raises TemplateError."""
    if not content.get("translations"):
        return compile_text(content)
    compiled = Multilingual({code: compile_text(text) for code, text in texts_in(content).items()})
    must_agree(compiled.needs)
    return compiled


def problems_in(
    content: Content, context: Mapping[str, Any] | None,
    problems_of: Callable[[Content, Mapping[str, Any] | None], list[Problem]],
) -> list[Problem]:  # fmt: skip
    """Those of every text, each once and under the language in which its part is written; missing values only
    for the text that the customer of `context` gets."""
    texts = texts_in(content)
    gets = nearest(texts, context["customer"].get("language")) if context is not None else ""
    found = [
        replace(problem, language=_written_in(content, code, problem.field))
        for code, text in texts.items()
        for problem in problems_of(text, context if code == gets else None)
    ]
    return list(dict.fromkeys([*found, *_unwritten(content)]))


def _unwritten(content: Content) -> Iterator[Problem]:
    for code in content.get("translations") or {}:
        for part in PARTS:
            if str(content.get(part) or "").strip() and not _written_in(content, code, part):
                text = _("Nothing is written in this language: it gets what is for everybody.")
                yield Problem(part, text, level="warning", language=code)


def _written_in(content: Content, language: str, part: str) -> str:
    """Whose text of the part somebody of this language gets."""
    translations = content.get("translations") or {}
    return next((code for code in fallbacks(language) if _is_written(translations.get(code, {}), part)), "")


def _is_written(text: Mapping[str, Any], part: str) -> bool:
    value = text.get(part) if part in PARTS else (text.get("fields") or {}).get(part)
    return bool(str(value or "").strip())
