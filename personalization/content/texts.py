"""Messages that are only texts: an SMS, a notification, the values of somebody's template.

Several named parts, each Liquid, without any markup of their own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from personalization.content.errors import LeftOut, Problem, RenderError, TemplateError
from personalization.content.expanding import Blocks
from personalization.content.language import TEXT, MessageTemplate
from personalization.content.messages import (
    check_liquid,
    expand_all,
    missing_values,
    parse_part,
    told_by_author,
)
from personalization.content.missing import Policy
from personalization.content.needs import Need, needs_of

CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]+")


@dataclass(frozen=True)
class CompiledTexts:
    """`source`: the texts it was parsed from."""

    parts: Mapping[str, MessageTemplate]
    needs: tuple[Need, ...] = ()
    must_print: bool = False
    source: str = ""

    def render(self, context: Mapping[str, Any]) -> dict[str, str]:
        """Each part for this customer, without control characters. Raises RenderError."""
        return {
            name: CONTROLS.sub(
                " ", part.render_values(context, must_print=self.must_print).replace("\r\n", "\n")
            ).strip()
            for name, part in self.parts.items()
        }

    def uses(self, name: str) -> bool:
        return any(name in part.analyze(include_partials=False).globals for part in self.parts.values())


def compile_texts(
    parts: Mapping[str, str], *, blocks: Blocks | None = None, missing: str = Policy.PRINT_NOTHING
) -> CompiledTexts:
    """Raises TemplateError with every problem found, each with field and line."""
    expanded = expand_all(parts, blocks)
    with told_by_author(expanded):
        problems = [problem for name, part in expanded.items() for problem in check_liquid(name, part.text)]
        if problems:
            raise TemplateError(problems)
        templates = {name: parse_part(TEXT, name, part.text) for name, part in expanded.items()}
    needs = needs_of(*templates.values())
    source = "\n".join(part.text for part in expanded.values())
    return CompiledTexts(templates, needs, missing == Policy.SKIP_CUSTOMER, source)


def check_texts(
    parts: Mapping[str, str], context: Mapping[str, Any] | None = None, *, blocks: Blocks | None = None
) -> list[Problem]:
    """Errors, and with a customer's `context` the values that are missing."""
    try:
        compiled = compile_texts(parts, blocks=blocks)
    except TemplateError as error:
        return error.problems
    if context is None:
        return []
    try:
        compiled.render(context)
    except LeftOut as error:
        text = _("This customer is left out: %(why)s") % {"why": error}
        return [Problem("body", text, level="warning")]
    except RenderError as error:
        return [Problem("body", str(error))]
    return missing_values(parts, blocks, context)
