"""Hides Liquid from the programs that read HTML and MJML: each token becomes one odd ASCII word.

`protect` finds the tokens, `restore` puts them back, so that `{% if a < b %}` never meets an XML parser.
"""

import re
from dataclasses import dataclass

# ASCII on purpose: the MJML compiler writes unusual characters of attributes as Rust escapes.
OPEN, CLOSE = "qz8Lq", "zq8"
MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
# A raw or comment block is one token: what looks like Liquid inside of it is not.
TOKEN = re.compile(
    r"\{%-?\s*(raw|comment|doc)\b[^%]*%\}.*?\{%-?\s*end\1\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL
)


PRINTS = re.compile(r"\{\{|\{%-?\s*(?:echo|generate|cycle|increment|decrement|liquid)\b")


@dataclass(frozen=True)
class Token:
    text: str
    line: int

    @property
    def is_output(self) -> bool:
        """Whether it prints a value: an output, or a tag that does the same."""
        return PRINTS.match(self.text) is not None


@dataclass(frozen=True)
class Protected:
    """`text` with marks instead of Liquid; mark number n stands for `tokens[n]`."""

    text: str
    tokens: list[Token]


def protect(source: str) -> Protected:
    source = source.replace(OPEN, "")
    tokens: list[Token] = []
    parts: list[str] = []
    end, line = 0, 1
    for match in TOKEN.finditer(source):
        line += source.count("\n", end, match.start())
        parts += [source[end : match.start()], f"{OPEN}{len(tokens)}{CLOSE}"]
        tokens.append(Token(match[0], line))
        line += match[0].count("\n")
        end = match.end()
    parts.append(source[end:])
    return Protected("".join(parts), tokens)


def restore(text: str, tokens: list[Token]) -> str:
    return MARK.sub(lambda mark: tokens[int(mark[1])].text, text)


def line_of(text: str, position: int, tokens: list[Token]) -> int:
    """The author's line of a position in protected text (a hidden token may have spanned lines)."""
    before = text[:position]
    hidden = sum(tokens[int(mark[1])].text.count("\n") for mark in MARK.finditer(before))
    return before.count("\n") + hidden + 1
