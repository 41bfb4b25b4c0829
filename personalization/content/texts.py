"""Messages that are only texts: an SMS, a notification, the values of somebody's template.

Several named parts, each Liquid, without any markup of their own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from personalization.content.errors import Problem, RenderError, TemplateError
from personalization.content.language import TEXT, MessageTemplate, find_missing
from personalization.content.messages import check_liquid, parse_part

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]+")


@dataclass(frozen=True)
class CompiledTexts:
    parts: Mapping[str, MessageTemplate]

    def render(self, context: Mapping[str, Any]) -> dict[str, str]:
        """Each part for this customer, without control characters. Raises RenderError."""
        return {
            name: CONTROLS.sub(" ", part.render_values(context).replace("\r\n", "\n")).strip()
            for name, part in self.parts.items()
        }

    def uses(self, name: str) -> bool:
        return any(name in part.analyze(include_partials=False).globals for part in self.parts.values())


def compile_texts(parts: Mapping[str, str]) -> CompiledTexts:
    """Raises TemplateError with every problem found, each with field and line."""
    problems = [problem for name, source in parts.items() for problem in check_liquid(name, source)]
    if problems:
        raise TemplateError(problems)
    return CompiledTexts({name: parse_part(TEXT, name, source) for name, source in parts.items()})


def check_texts(parts: Mapping[str, str], context: Mapping[str, Any] | None = None) -> list[Problem]:
    """Errors, and with a customer's `context` the values that are missing."""
    try:
        compiled = compile_texts(parts)
    except TemplateError as error:
        return error.problems
    if context is None:
        return []
    try:
        compiled.render(context)
    except RenderError as error:
        return [Problem("body", str(error))]
    return [
        Problem(name, _("This customer has no value here: %(hint)s.") % {"hint": hint}, line, "warning")
        for name, source in parts.items()
        for line, hint in find_missing(source, context)
    ]
