"""Pieces of messages that many customers share: what a loop prints for an item depends on the item alone.

A chunk's messages show a few hundred items thousands of times. So the text of a loop's round is kept beside
the item (the same dictionary, not an equal one) and printed again, where it reads nothing else.
"""

from collections.abc import Sequence
from typing import Any, TextIO

from liquid import RenderContext
from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import LoopExpression, Path, StringLiteral
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from personalization.content.guards import StyleGuardNode, UrlGuardNode

# Among a template's values: where such pieces are kept. No text, so no template can name it.
FRAGMENTS: Any = object()
LIMIT = 32_768  # pieces; of some 1 kB each
# Tags that only print, choose and guard; those that remember or ask for something are not among them.
PLAIN = (
    ContentNode, BlockNode, ConditionalBlockNode, IfNode, UnlessNode, CaseNode, MultiExpressionBlockNode,
    UrlGuardNode, StyleGuardNode,
)  # fmt: skip
# These read the customer's language and country, and nothing else of the surroundings.
LOCAL_FILTERS = frozenset({"money", "number", "percent", "plural", "listed"})


class Fragments:
    """One for all messages made of the same dictionaries. Forgets everything when it is full."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[Any, str, int]] = {}
        self.get = self._kept.get

    def put(self, key: tuple[Any, ...], item: object, text: str, fuel: int) -> None:
        """Keeps the item too: while it lives no other has its `id`."""
        if len(self._kept) >= LIMIT:
            self._kept.clear()
        self._kept[key] = (item, text, fuel)


class DirectBlock(BlockNode):
    """What a loop repeats. Only `render` disables a tag, `include`, and that is told when blocks are put in:
    so nodes are called without asking each time whether they may."""

    __slots__ = ()

    def render(self, context: RenderContext, buffer: TextIO) -> int:
        return self.render_to_output(context, buffer)

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if self.blank:
            return super().render_to_output(context, buffer)
        written = 0
        for node in self.nodes:
            written += node.render_to_output(context, buffer)
        return written


class RememberedBlock(DirectBlock):
    """A block that reads its loop's `name` alone; `in_place` when also the place in the loop, `in_language`
    when a filter speaks the customer's language. The work it took is charged again each time."""

    __slots__ = ("in_language", "in_place", "name")

    def __init__(self, block: BlockNode, name: str, *, in_place: bool, in_language: bool) -> None:
        super().__init__(block.token, block.nodes)
        self.name, self.in_place, self.in_language = name, in_place, in_language

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        item = context.scope[self.name]
        if context.fragments is None or type(item) is not dict:
            return super().render_to_output(context, buffer)
        loop = context.scope["forloop"]
        key = self._key(context, item, loop.index0, loop.length)
        found = context.fragments.get(key)
        if found is None:
            found = self._make(context, item, key)
        else:
            context.charge(found[2])
        return buffer.write(found[1])

    def _make(self, context: Any, item: object, key: tuple[Any, ...]) -> tuple[Any, str, int]:
        before, missed = context.fuel, context.missed
        own = context.get_buffer()
        super().render_to_output(context, own)
        text, fuel = own.getvalue(), before - context.fuel
        if context.missed == missed:  # else the next reader's policy is to see that a value is missing
            context.fragments.put(key, item, text, fuel)
        return item, text, fuel

    def whole_loop(self, context: Any, items: Sequence[object]) -> str | None:
        """All rounds at once, without going through the loop; None when one of them is not known yet."""
        texts, fuel = [], 0
        known, length = context.fragments.get, len(items)
        language = _language(context) if self.in_language else ()
        for index, item in enumerate(items):
            if type(item) is not dict:
                return None
            found = known((self, id(item), (index, length) if self.in_place else (), language))
            if found is None:
                return None
            texts.append(found[1])
            fuel += found[2]
        context.charge(fuel)
        return "".join(texts)

    def _key(self, context: Any, item: object, index: int, length: int) -> tuple[Any, ...]:
        place = (index, length) if self.in_place else ()
        return self, id(item), place, _language(context) if self.in_language else ()


def _language(context: Any) -> tuple[str, ...]:
    customer = context.scope.get("customer")
    if not isinstance(customer, dict):
        return ()
    return str(customer.get("language") or ""), str(customer.get("country") or "")


def block_of_loop(block: BlockNode, loop: LoopExpression, filters: Any, output: type[Node]) -> DirectBlock:
    """The block as the loop repeats it; `filters` as the environment has them."""
    name = loop.identifier
    found = _Reading(name, filters, output)
    # A loop that goes on where another ended is not the same loop twice.
    is_whole = not block.blank and name != "forloop" and not isinstance(loop.offset, StringLiteral)
    if is_whole and all(map(found.may_read, block.nodes)):
        return RememberedBlock(block, name, in_place=found.in_place, in_language=found.in_language)
    return DirectBlock(block.token, block.nodes)


class _Reading:
    """Whether nodes and expressions read the loop's variable alone."""

    def __init__(self, name: str, filters: Any, output: type[Node]) -> None:
        self.in_place = self.in_language = False
        self._name, self._filters = name, filters
        self._nodes = (*PLAIN, output)

    def may_read(self, node: Node) -> bool:
        if type(node) not in self._nodes:
            return False
        inner = node.children(None, include_partials=False)  # type: ignore[arg-type]
        return all(map(self._may_evaluate, node.expressions())) and all(map(self.may_read, inner))

    def _may_evaluate(self, expression: Expression) -> bool:
        if isinstance(expression, Path):
            root = expression.path[0]
            if root == "forloop" and "parentloop" not in expression.path:
                self.in_place = True
            elif root != self._name:
                return False
        used = [
            *(getattr(expression, "filters", None) or ()),
            *(getattr(expression, "tail_filters", None) or ()),
        ]
        return all(map(self._may_use, used)) and all(map(self._may_evaluate, expression.children()))

    def _may_use(self, used: Any) -> bool:
        if used.name in LOCAL_FILTERS:
            self.in_language = True
            return True
        return not getattr(self._filters.get(used.name), "with_context", False)
