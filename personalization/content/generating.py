"""`{% generate "phrase set" %}` prints a text made for this customer; with `as name` it keeps it for later.

Arguments are values that the phrases may print: `{% generate "offer" thing: customer.traits.favorite %}`.
"""

from collections.abc import Iterable
from typing import TextIO

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import parse_identifier
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_AS, TOKEN_TAG, TOKEN_WORD, Token
from markupsafe import escape

from personalization.content.errors import MissingValue
from personalization.content.missing import note
from personalization.content.needs import Need, NeedNode, parse_need, take


class GenerateNode(Node):
    __slots__ = ("need",)

    def __init__(self, token: Token, need: Need) -> None:
        super().__init__(token)
        self.need = need
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        text = take(context, self.need)
        if not isinstance(text, str) or not text:
            hint = f"generate “{self.need.name}”"
            note(self.token, hint)
            if context.must_print:  # type: ignore[attr-defined]
                raise MissingValue(f"{hint}: no phrase fits")
            return 0
        return buffer.write(escape(text) if context.autoescape else text)

    def expressions(self) -> Iterable[Expression]:
        return [argument.value for argument in self.need.arguments]


class Generate(Tag):
    name = kind = "generate"
    accepted: frozenset[str] = frozenset()
    takes_name = True

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        need = parse_need(self, tokens, token)
        if tokens.current.kind != TOKEN_AS:
            tokens.expect_eos()
            return GenerateNode(token, need)
        next(tokens)
        tokens.expect(TOKEN_WORD)
        alias = parse_identifier(self.env, tokens, allow_trailing_question_mark=False)
        tokens.expect_eos()
        return NeedNode(token, need, alias)
