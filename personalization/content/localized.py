"""`{% localized %}…{% language "zh" %}…{% endlocalized %}`: a text in the customer's language.

The first text is for whoever has no other; "pt" serves "pt-BR" too, unless "pt-BR" has one of its own.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TextIO

from django.utils.translation import gettext as _
from liquid import RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import StringLiteral, parse_primitive
from liquid.exceptions import LiquidSyntaxError
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_TAG, Token

LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,2}")


def normal(language: object) -> str:
    return str(language or "").strip().replace("_", "-").lower()


def fallbacks(language: object) -> list[str]:
    """ "zh-Hant-TW" → zh-hant-tw, zh-hant, zh."""
    parts = normal(language).split("-")
    return ["-".join(parts[:n]) for n in range(len(parts), 0, -1)]


class LocalizedNode(Node):
    __slots__ = ("default", "languages")

    def __init__(self, token: Token, default: BlockNode, languages: Mapping[str, BlockNode]) -> None:
        super().__init__(token)
        self.default, self.languages = default, languages
        self.blank = False

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        return [self.default, *self.languages.values()]

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        customer = context.scope.get("customer")
        language = customer.get("language") if isinstance(customer, Mapping) else ""
        found = (self.languages[one] for one in fallbacks(language) if one in self.languages)
        return next(found, self.default).render(context, buffer)


class Localized(Tag):
    name = "localized"
    end = "endlocalized"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        ends = frozenset(("language", self.end))
        default = get_parser(self.env).parse_block(stream, ends)
        languages: dict[str, BlockNode] = {}
        while stream.current.is_tag("language"):
            at = stream.eat(TOKEN_TAG)
            tokens = stream.into_inner(tag=at)
            given = parse_primitive(self.env, tokens)
            tokens.expect_eos()
            code = normal(given.value) if isinstance(given, StringLiteral) else ""
            if not LANGUAGE.fullmatch(code):
                raise LiquidSyntaxError(_("write a language in quotes, like “zh” or “pt-BR”"), token=at)
            if code in languages:
                raise LiquidSyntaxError(_("this language has a text already"), token=at)
            languages[code] = get_parser(self.env).parse_block(stream, ends)
        stream.expect(TOKEN_TAG, value=self.end)
        return LocalizedNode(token, default, languages)
