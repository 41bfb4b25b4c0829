"""`{% if customer.first_name == blank %}` is true for a value that is missing, null or false too.

So the reference implementation has it, and so marketers ask whether there is a value; the library's `blank`
equals empty texts and lists alone.
"""

from collections.abc import Iterable, Iterator

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.logical import EqExpression, NeExpression
from liquid.builtin.expressions.primitive import Blank
from liquid.expression import Expression
from liquid.undefined import is_undefined


class OrBlank(Expression):
    """A value beside `blank`: an empty text where there is none."""

    __slots__ = ("value",)

    def __init__(self, value: Expression) -> None:
        super().__init__(token=value.token)
        self.value = value

    def __str__(self) -> str:
        return str(self.value)

    def evaluate(self, context: RenderContext) -> object:
        value = self.value.evaluate(context)
        return "" if value is None or value is False or is_undefined(value) else value

    def children(self) -> list[Expression]:
        return [self.value]


def settle(nodes: Iterable[Node], static: RenderContext) -> None:
    """Changes every comparison with `blank` below these nodes."""
    for expression in _expressions(nodes, static):
        if not isinstance(expression, EqExpression | NeExpression):
            continue
        if isinstance(expression.right, Blank):
            expression.left = OrBlank(expression.left)
        elif isinstance(expression.left, Blank):
            expression.right = OrBlank(expression.right)


def _expressions(nodes: Iterable[Node], static: RenderContext) -> Iterator[Expression]:
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children(static, include_partials=False))
        inner = list(node.expressions())
        while inner:
            expression = inner.pop()
            inner.extend(expression.children())
            yield expression
