"""`{% render "card", item: item %}` and `{% include "card" %}`: content blocks with values of their own.

The text of the block stands between the tag and its end already (see `expanding`), so that a block may hold
MJML; here it gets its scope. `render` sees only what it is given and what every message has; `include` shares
the names around it, as in the reference implementation.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.tags.include_tag import IncludeNode, IncludeTag
from liquid.builtin.tags.render_tag import RenderNode, RenderTag
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.template import BoundTemplate
from liquid.token import TOKEN_TAG

from personalization.content.bounds import CHARACTERS_PER_FUEL

if TYPE_CHECKING:
    from personalization.content.language import MessageContext


class _Part:
    """The nodes between the tag and its end, handed to the library as the template it asks for."""

    part: BoundTemplate
    weight: int

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        message: MessageContext = context  # type: ignore[assignment]
        message.charge(self.weight)
        message.weight, message.part = self.weight, self.part
        written: int = super().render_to_output(context, buffer)  # type: ignore[misc]
        if message.inner is not None:
            message.fuel, message.inner = message.inner.fuel, None
        return written

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        return self.part.nodes


class RenderPartNode(_Part, RenderNode):
    pass


class IncludePartNode(_Part, IncludeNode):
    pass


class RenderPart(RenderTag):
    node_class = RenderPartNode

    def parse(self, stream: TokenStream) -> Node:
        return _parse_part(self, super().parse(stream), stream)


class IncludePart(IncludeTag):
    node_class = IncludePartNode

    def parse(self, stream: TokenStream) -> Node:
        return _parse_part(self, super().parse(stream), stream)


def _parse_part(tag: Any, node: Any, stream: TokenStream) -> Node:
    end = f"end{tag.name}"
    next(stream)
    start = stream.current.start_index
    block = get_parser(tag.env).parse_block(stream, frozenset((end,)))
    stream.expect(TOKEN_TAG, value=end)
    node.weight = 1 + max(stream.current.start_index - start, 0) // CHARACTERS_PER_FUEL
    node.part = tag.env.template_class(tag.env, block.nodes, name=node.name.value)
    return node
