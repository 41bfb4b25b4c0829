"""A piece of a page as its author wrote it → what each visitor gets: HTML with Liquid, guarded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from personalization.content.errors import Problem, RenderError, TemplateError
from personalization.content.escaping import guard
from personalization.content.language import HTML, MessageTemplate, find_missing
from personalization.content.layout import is_mjml
from personalization.content.liquid_checks import check_liquid, must_be_closed, parse_part
from personalization.content.needs import needs_of
from personalization.content.placeholders import protect


@dataclass(frozen=True)
class CompiledFragment:
    html: MessageTemplate

    def render(self, context: Mapping[str, Any]) -> str:
        """Raises RenderError."""
        return self.html.render_values(context)

    def uses(self, name: str) -> bool:
        """Whether it prints or tests the variable, for example `items`."""
        return name in self.html.analyze(include_partials=False).globals


def compile_fragment(body: str) -> CompiledFragment:
    """Raises TemplateError with every problem found."""
    problems = check_liquid("body", body)
    if is_mjml(body):
        problems.append(Problem("body", _("MJML is for e-mail. A page takes plain HTML.")))
    if problems:
        raise TemplateError(problems)
    source = protect(body)
    must_be_closed(source)
    html, problems = guard(source.text, source.tokens)
    if problems:
        raise TemplateError(problems)
    template = parse_part(HTML, "body", html)
    if needs := needs_of(template):
        text = _("%(tag)s works in messages only.")
        raise TemplateError([Problem("body", text % {"tag": need.kind}, need.line) for need in needs])
    return CompiledFragment(template)


def check_fragment(body: str, *, context: Mapping[str, Any] | None = None) -> list[Problem]:
    """What to tell the author: errors and, with a visitor's `context`, values that are missing."""
    try:
        compiled = compile_fragment(body)
    except TemplateError as error:
        return error.problems
    if context is None:
        return []
    problems = []
    try:
        compiled.render(context)
    except RenderError as error:
        problems.append(Problem("body", str(error)))
    for line, hint in find_missing(body, context):
        message = _("This customer has no value here: %(hint)s.") % {"hint": hint}
        problems.append(Problem("body", message, line, "warning"))
    return problems
