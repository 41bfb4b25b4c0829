"""A message as its author wrote it → what each customer gets.

`compile_message` does once what is the same for everybody (MJML, guards, the plain-text part);
`CompiledMessage.render` does the rest, thousands of times a second. Values come in as plain dicts, lists and
scalars; no Python object, file or network is reachable from a template.

Missing values print nothing while sending; while editing `check_message` names them. A filter that cannot use
what it gets raises RenderError, and the caller records the customer as skipped.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from personalization.content.errors import LeftOut, Problem, RenderError, TemplateError
from personalization.content.escaping import guard
from personalization.content.expanding import Blocks, Expanded, expand
from personalization.content.language import HTML, TEXT, MessageTemplate, find_missing
from personalization.content.layout import break_lines, compile_layout, is_mjml
from personalization.content.links import find_links
from personalization.content.liquid_checks import check_liquid, must_be_closed, parse_part
from personalization.content.missing import Policy
from personalization.content.needs import Need, needs_of
from personalization.content.placeholders import Protected, protect, restore
from personalization.content.plain_text import derive_text

LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
BODY_START = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
# Blanks that keep the mail program from filling the preview with the body's first words.
PADDING = "\n".join(["&#847;&zwnj;&nbsp;" * 20] * 3)
PREHEADER = (
    '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px">'
    f"{{}}{PADDING}</div>"
)
CLIPPED_AT = 102_000  # bytes; Gmail hides the rest


@dataclass(frozen=True)
class RenderedMessage:
    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class CompiledMessage:
    """`links` are the addresses as written, Liquid included; `needs` what has to be loaded before;
    `source` the texts it was parsed from."""

    subject: MessageTemplate
    html: MessageTemplate
    text: MessageTemplate
    links: list[str]
    warnings: list[Problem] = field(default_factory=list)
    needs: tuple[Need, ...] = ()
    must_print: bool = False
    source: str = ""

    def render(self, context: Mapping[str, Any]) -> RenderedMessage:
        """What this customer gets. Raises RenderError."""
        must = self.must_print
        return RenderedMessage(
            subject=LINE_BREAKS.sub(" ", self.subject.render_values(context, must_print=must)).strip(),
            html=self.html.render_values(context, must_print=must),
            text=self.text.render_values(context, must_print=must),
        )

    def uses(self, name: str) -> bool:
        """Whether the body prints or tests the variable, for example `unsubscribe_url` or `items`."""
        return name in self.html.analyze(include_partials=False).globals


def compile_message(
    *,
    subject: str,
    preheader: str = "",
    body: str,
    blocks: Blocks | None = None,
    missing: str = Policy.PRINT_NOTHING,
) -> CompiledMessage:
    """Raises TemplateError with every problem found, each with field and line."""
    parts = expand_all({"subject": subject, "preheader": preheader, "body": body}, blocks)
    with told_by_author(parts):
        compiled = _compile(**{name: part.text for name, part in parts.items()})
    return replace(compiled, must_print=missing == Policy.SKIP_CUSTOMER)


def _compile(*, subject: str, preheader: str, body: str) -> CompiledMessage:
    problems = [
        problem
        for name, source in (("subject", subject), ("preheader", preheader), ("body", body))
        for problem in check_liquid(name, source)
    ]
    if not body.strip():
        problems.append(Problem("body", _("The message is empty.")))
    if problems:
        raise TemplateError(problems)
    source = protect(body)
    must_be_closed(source)
    layout = compile_layout(source) if is_mjml(body) else _plain_html(source)
    html, problems = guard(break_lines(layout), source.tokens)
    if problems:
        raise TemplateError(problems)
    text = derive_text(layout, source.tokens)
    html = _with_preheader(html, preheader)
    compiled = CompiledMessage(
        subject=parse_part(TEXT, "subject", " ".join(subject.split())),
        html=parse_part(HTML, "body", html),
        text=parse_part(TEXT, "body", text),
        links=find_links(restore(layout, source.tokens)),
        source=f"{text}\n{html}",
    )
    needs = needs_of(compiled.subject, compiled.html, compiled.text)
    must_agree(needs)
    return replace(compiled, needs=needs, warnings=_warnings(compiled, subject, html))


def check_message(
    *,
    subject: str,
    preheader: str = "",
    body: str,
    context: Mapping[str, Any] | None = None,
    blocks: Blocks | None = None,
) -> list[Problem]:
    """What to tell the author: errors, warnings and, with a customer's `context`, values that are missing."""
    written = {"subject": subject, "preheader": preheader, "body": body}
    try:
        compiled = compile_message(**written, blocks=blocks)
    except TemplateError as error:
        return error.problems
    problems = list(compiled.warnings)
    if context is None:
        return problems
    try:
        compiled.render(context)
    except LeftOut as error:
        text = _("This customer is left out: %(why)s") % {"why": error}
        problems.append(Problem("body", text, level="warning"))
    except RenderError as error:
        problems.append(Problem("body", str(error)))
    return problems + missing_values(written, blocks, context)


def missing_values(
    written: Mapping[str, str], blocks: Blocks | None, context: Mapping[str, Any]
) -> list[Problem]:
    """A warning for each value that this customer lacks."""
    return [
        part.author_of(
            Problem(name, _("This customer has no value here: %(hint)s.") % {"hint": hint}, line, "warning")
        )
        for name, part in expand_all(written, blocks).items()
        for line, hint in find_missing(part.text, context)
    ]


def expand_all(written: Mapping[str, str], blocks: Blocks | None) -> dict[str, Expanded]:
    """Each part with its blocks put in. Raises TemplateError with the problems of all parts."""
    parts, problems = {}, []
    for name, source in written.items():
        try:
            parts[name] = expand(source, blocks or {}, part=name)
        except TemplateError as error:
            problems += error.problems
    if problems:
        raise TemplateError(problems)
    return parts


@contextmanager
def told_by_author(parts: Mapping[str, Expanded]) -> Iterator[None]:
    """A TemplateError inside names the lines of the author, not those of the text with its blocks."""
    try:
        yield
    except TemplateError as error:
        raise TemplateError([parts[p.field].author_of(p) for p in error.problems]) from error


def must_agree(needs: tuple[Need, ...]) -> None:
    """One name of vary is one choice, so it has the same number of versions wherever it stands. Raises
    TemplateError."""
    seen: dict[str, int] = {}
    for need in needs:
        if need.kind == "vary" and seen.setdefault(need.name, len(need.options)) != len(need.options):
            text = _("vary “%(name)s” has different numbers of versions at different places.")
            raise TemplateError([Problem("body", text % {"name": need.name})])


def _plain_html(source: Protected) -> str:
    """A body that is not MJML: a whole page as it is, or a fragment put into the least page."""
    if re.search(r"<html[\s>]", source.text, re.IGNORECASE):
        return source.text
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f'<body style="margin:0;padding:16px;font-family:Arial,sans-serif">{source.text}</body></html>'
    )


def _with_preheader(html: str, preheader: str) -> str:
    if not preheader.strip():
        return html
    safe = protect(preheader)
    text = safe.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    block = PREHEADER.format(restore(text, safe.tokens))
    start = BODY_START.search(html)
    return html[: start.end()] + block + html[start.end() :] if start else block + html


def _warnings(compiled: CompiledMessage, subject: str, html: str) -> list[Problem]:
    found = []
    if not subject.strip():
        found.append(Problem("subject", _("The subject is empty."), level="warning"))
    if not compiled.uses("unsubscribe_url"):
        found.append(
            Problem("body", _("There is no unsubscribe link: add {{ unsubscribe_url }}."), level="warning")
        )
    if len(html.encode()) > CLIPPED_AT:
        found.append(Problem("body", _("Gmail cuts messages off at 102 kB."), level="warning"))
    return found
