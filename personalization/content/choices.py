"""Tags with several ends: `{% vary %}` tries texts against each other, `{% optional %}` drops what lacks a
value, `{% skip_customer %}` says that somebody is to get nothing."""

import re
from collections.abc import Iterable
from io import StringIO
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

from personalization.content.errors import LeftOut, MissingValue, UsedUp
from personalization.content.missing import no_notes
from personalization.content.needs import Need, parse_need, take

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")
MAX_OPTIONS = 10
SHOWN = 80  # characters of an option that reports show


class VaryNode(Node):
    __slots__ = ("need", "options")

    def __init__(self, token: Token, need: Need, options: list[BlockNode]) -> None:
        super().__init__(token)
        self.need, self.options = need, options
        self.blank = False

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        return self.options

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        chosen = take(context, self.need)
        return self.options[chosen if isinstance(chosen, int) else 0].render(context, buffer)


class Vary(Tag):
    """`{% vary "name" %}…{% or %}…{% endvary %}`; `learn: true` lets the better ones be drawn more often."""

    name = kind = "vary"
    end = "endvary"
    accepted = frozenset({"learn", "metric", "floor"})
    takes_name = True

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token)
        need = parse_need(self, tokens, token)
        tokens.expect_eos()
        if not NAME.fullmatch(need.name):
            raise LiquidSyntaxError(
                _("a name of vary has small letters, digits, - and _, 30 at most"), token=token
            )
        starts, options = [_after(token)], []
        while True:
            options.append(get_parser(self.env).parse_block(stream, frozenset(("or", self.end))))
            if not stream.current.is_tag("or"):
                break
            starts.append(_after(stream.current))
            next(stream)
        stream.expect(TOKEN_TAG, value=self.end)
        if not 2 <= len(options) <= MAX_OPTIONS:
            raise LiquidSyntaxError(
                _("vary needs 2 to {n} versions, with an or between them").format(n=MAX_OPTIONS), token=token
            )
        ends = [*(token.source.rfind("{%", 0, start) for start in starts[1:]), stream.current.start_index]
        sources = tuple(token.source[start:end] for start, end in zip(starts, ends, strict=True))
        # One name is one choice, wherever it stands: what differs in HTML and text is only the markup.
        key = f"vary:{need.name}:{len(options)}"
        return VaryNode(token, Need(key, "vary", need.name, need.arguments, sources, need.line), options)


def _after(token: Token) -> int:
    return token.source.find("%}", token.start_index) + 2


def excerpt(source: str) -> str:
    """What a reader of reports sees of a version: its words, or its markup where it has none."""
    text = " ".join(re.sub(r"<[^<>]*>|\{%.*?(?:%\}|$)", " ", source, flags=re.DOTALL).split())
    return text[:SHOWN] or " ".join(source.split())[:SHOWN]


class OptionalNode(Node):
    __slots__ = ("block", "otherwise")

    def __init__(self, token: Token, block: BlockNode, otherwise: BlockNode | None) -> None:
        super().__init__(token)
        self.block, self.otherwise = block, otherwise
        self.blank = False

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        return [self.block] if self.otherwise is None else [self.block, self.otherwise]

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        inner, before = StringIO(), context.must_print  # type: ignore[attr-defined]
        context.must_print = True  # type: ignore[attr-defined]
        try:
            with no_notes():
                self.block.render(context, inner)
        except (MissingValue, UsedUp):
            inner = StringIO()
            context.must_print = before  # type: ignore[attr-defined]
            if self.otherwise is not None:
                self.otherwise.render(context, inner)
        finally:
            context.must_print = before  # type: ignore[attr-defined]
        return buffer.write(inner.getvalue())


class Optional(Tag):
    """`{% optional %}…{% else %}…{% endoptional %}`: the first, unless a value in it is missing."""

    name = "optional"
    end = "endoptional"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        block = get_parser(self.env).parse_block(stream, frozenset(("else", self.end)))
        otherwise = None
        if stream.current.is_tag("else"):
            next(stream)
            otherwise = get_parser(self.env).parse_block(stream, frozenset((self.end,)))
        stream.expect(TOKEN_TAG, value=self.end)
        return OptionalNode(token, block, otherwise)


class SkipCustomerNode(Node):
    __slots__ = ("why",)

    def __init__(self, token: Token, why: str) -> None:
        super().__init__(token)
        self.why = why
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        raise LeftOut(self.why)


class SkipCustomer(Tag):
    """`{% skip_customer "why" %}`: whoever gets here gets no message, for that reason."""

    name = "skip_customer"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        why = parse_primitive(self.env, tokens)
        tokens.expect_eos()
        if not isinstance(why, StringLiteral) or not why.value.strip():
            raise LiquidSyntaxError(_("write the reason in quotes after skip_customer"), token=token)
        return SkipCustomerNode(token, why.value.strip()[:200])
