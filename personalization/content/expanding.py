"""`{% block "name" %}` → the text of the block, before anything else reads the message.

Blocks are put in as text, so a block may hold whole MJML sections, and what is compiled is one message. Each
line of the result remembers where its author wrote it. `{% render "name", key: value %}` and `{% include %}`
stay around the text, which gets values by them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from personalization.content.errors import Problem, TemplateError

# What is bounded cannot be made to run long by a hostile text.
START = re.compile(
    r"\{%-?\s{0,20}(?:(?P<tag>block|render|include)\b(?P<rest>[^%]{0,400}?)-?%\}"
    r"|(?P<hidden>raw|comment|doc)\b[^%]{0,200}%\})"
)
NAMED = re.compile(
    r"\s*(?P<quote>[\"'])(?P<name>[a-z0-9][a-z0-9_-]{0,49})(?P=quote)\s*(?P<values>.*)", re.DOTALL
)
APART = "{%"  # among the blocks around: here begins a scope of its own
MAX_DEPTH = 3
MAX_LENGTH = 400_000  # characters of a message with its blocks
# Name of a block → its texts by language; "" is the one for whoever has no other.
Blocks = Mapping[str, Mapping[str, str]]


@dataclass
class Expanded:
    """`places` has for each line of the text the author's line, and the block if it is in one."""

    part: str  # "subject", "preheader", "body" …
    text: str = ""
    places: list[tuple[int, str]] = field(default_factory=lambda: [(1, "")])

    def add(self, text: str, line: int, block: str) -> None:
        self.text += text
        self.places += [(line + n, block) for n in range(1, text.count("\n") + 1)]
        if len(self.text) > MAX_LENGTH:
            raise self.wrong(_("With its blocks the message is too long."), line)

    def wrong(self, message: str, line: int) -> TemplateError:
        return TemplateError([Problem(self.part, message, line)])

    def author_of(self, problem: Problem) -> Problem:
        """The same, told by the author's own line."""
        if problem.line is None or not 0 < problem.line <= len(self.places):
            return problem
        line, block = self.places[problem.line - 1]
        if not block:
            return problem.at(line)
        facts = {"name": block, "line": line, "message": problem.message}
        return replace(problem, message=_("Block “%(name)s”, line %(line)s: %(message)s") % facts, line=None)


def names_in(*sources: str) -> set[str]:
    """Blocks that the texts name."""
    found = set()
    for source in sources:
        for tag in _tags(source):
            if named := NAMED.fullmatch(tag["rest"]):
                found.add(named["name"])
    return found


def expand(source: str, blocks: Blocks, *, part: str = "body") -> Expanded:
    """Raises TemplateError for a block that does not exist, or that holds itself."""
    into = Expanded(part)
    _put(into, source, "", 1, blocks, ())
    return into


def _put(into: Expanded, source: str, block: str, line: int, blocks: Blocks, inside: tuple[str, ...]) -> None:
    end = 0
    for tag in _tags(source):
        into.add(source[end : tag.start()], line, block)
        line += source.count("\n", end, tag.start())
        name = _name_in(tag, into, line, blocks, inside)
        if tag["tag"] == "block":
            _put_texts(into, name, blocks, (*inside, name))
        else:
            # What is rendered may not include: its names are its own.
            into.add(tag[0], line, block)
            _put_texts(into, name, blocks, (*inside, *([APART] if tag["tag"] == "render" else []), name))
            into.add(f"{{% end{tag['tag']} {'-' if tag[0][-3] == '-' else ''}%}}", line, block)
        line += tag[0].count("\n")
        end = tag.end()
    into.add(source[end:], line, block)


def _name_in(tag: re.Match[str], into: Expanded, line: int, blocks: Blocks, inside: tuple[str, ...]) -> str:
    """Raises TemplateError for what names no block that may stand here."""
    named = NAMED.fullmatch(tag["rest"])
    if named is None:
        example = {"tag": tag["tag"]}
        raise into.wrong(
            _('Write the name of the block in quotes: {%% %(tag)s "footer" %%}.') % example, line
        )
    name = named["name"]
    if tag["tag"] == "block" and named["values"]:
        raise into.wrong(_('A block takes no values: {%% render "footer", key: value %%} does.') % {}, line)
    if tag["tag"] == "include" and APART in inside:
        raise into.wrong(_("What is rendered cannot include: write render here too."), line)
    if name not in blocks:
        raise into.wrong(_("There is no block “%(name)s”.") % {"name": name}, line)
    if name in inside or sum(one != APART for one in inside) >= MAX_DEPTH:
        raise into.wrong(
            _("The block “%(name)s” stands too deep in blocks, or in itself.") % {"name": name}, line
        )
    return name


def _put_texts(into: Expanded, name: str, blocks: Blocks, inside: tuple[str, ...]) -> None:
    texts = blocks[name]
    languages = [language for language in texts if language and texts[language].strip()]
    if languages:
        into.add("{% localized %}", 1, name)
    _put(into, texts.get("", ""), name, 1, blocks, inside)
    for language in languages:
        into.add(f'{{% language "{language}" %}}', 1, name)
        _put(into, texts[language], name, 1, blocks, inside)
    if languages:
        into.add("{% endlocalized %}", 1, name)


def _tags(source: str) -> Iterator[re.Match[str]]:
    """The block tags that are tags: not those in a comment or between raw and endraw."""
    return (found for found, is_closed in _starts(source) if is_closed and found["hidden"] is None)


def find_unclosed(source: str) -> tuple[str, int] | None:
    """The name and line of a raw, comment or doc without its end. The lexer of the library would look for
    that end again from each of them."""
    for found, is_closed in _starts(source):
        if not is_closed:
            return found["hidden"], source.count("\n", 0, found.start()) + 1
    return None


def _starts(source: str) -> Iterator[tuple[re.Match[str], bool]]:
    """Block tags, and what hides tags, with whether it is closed; nothing comes after what is not."""
    at = 0
    while (found := START.search(source, at)) is not None:
        at, is_closed = found.end(), True
        if found["hidden"] is not None:
            end = re.compile(r"\{%-?\s{0,20}end" + found["hidden"]).search(source, at)
            is_closed = end is not None
            at = end.end() if end else len(source)
        yield found, is_closed
