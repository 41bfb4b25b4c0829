"""Tags that `escaping.guard` puts around values; authors never write them."""

import re
from collections.abc import Iterable
from html import unescape
from io import StringIO
from typing import TextIO

from liquid import RenderContext
from liquid.ast import BlockNode, Node
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_TAG, Token

from personalization.content.links import is_allowed_url

# Colors, sizes and font names; no url(), no expression(), no further declaration, no escape.
STYLE_VALUE = re.compile(r"[\w\s#%.,+\-]{0,80}")
SAFE_STARTS = ("https://", "http://")


class GuardNode(Node):
    __slots__ = ("block",)

    def __init__(self, token: Token, block: BlockNode) -> None:
        super().__init__(token)
        self.block = block
        self.blank = False

    def __str__(self) -> str:
        """As the author wrote it, for those who read the whole page."""
        return str(self.block)

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        yield self.block

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        inner = StringIO()
        for node in self.block.nodes:
            node.render_to_output(context, inner)
        return buffer.write(self.check(inner.getvalue()))

    def check(self, value: str) -> str:
        raise NotImplementedError


class UrlGuardNode(GuardNode):
    """An address with a scheme that could run something becomes `#`."""

    __slots__ = ("image",)

    def __init__(self, token: Token, block: BlockNode, *, image: bool) -> None:
        super().__init__(token, block)
        self.image = image

    def check(self, value: str) -> str:
        if value.startswith(SAFE_STARTS) or is_allowed_url(unescape(value), image=self.image):
            return value
        return "" if self.image else "#"


class StyleGuardNode(GuardNode):
    """A value that is more than a color, a size or a font name is left out."""

    __slots__ = ()

    def check(self, value: str) -> str:
        return value if STYLE_VALUE.fullmatch(unescape(value)) else ""


class UrlGuard(Tag):
    name = "guard_url"
    end = "endguard_url"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        image = stream.into_inner(tag=token).current.value == "image"
        block = get_parser(self.env).parse_block(stream, frozenset((self.end,)))
        stream.expect(TOKEN_TAG, value=self.end)
        return UrlGuardNode(token, block, image=image)


class StyleGuard(Tag):
    name = "guard_style"
    end = "endguard_style"

    def parse(self, stream: TokenStream) -> Node:
        token = stream.eat(TOKEN_TAG)
        block = get_parser(self.env).parse_block(stream, frozenset((self.end,)))
        stream.expect(TOKEN_TAG, value=self.end)
        return StyleGuardNode(token, block)
