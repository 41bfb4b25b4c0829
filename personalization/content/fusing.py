"""Stretches of a template that only print, made into one Python function each once they are rendered often.

Most of a message is fixed text, `{{ path.to.value }}` and short choices: rendered node by node, calling and
asking cost more than printing. The function looks up each variable once, escapes what is text, and joins
once; what is out of the ordinary (a missing value, a filter, an odd type) goes to the node itself, which
alone says what is right. Its source is made of numbered names: no letter of a template stands in it.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, TextIO

from liquid import RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.expressions.logical import BooleanExpression, EqExpression
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from personalization.content.guards import SAFE_STARTS, GuardNode, UrlGuardNode
from personalization.content.links import escape_text

OFTEN = 8  # renderings, after which a function is made: previews and checks never pay for it
LONGEST = 120  # nodes of one function
DEEPEST = 4  # choices inside of choices
MOST_CHOICES = 4  # of one `if`
PRINTED_AS_IS = frozenset({int, float, Decimal})
TRUE = frozenset({str, int, float, Decimal, list, dict})  # whatever the value: Liquid takes 0 and "" for true
NOW = frozenset({"now", "today"})  # told anew each time
# Lists and texts answer these themselves.
SPECIAL = frozenset({"size", "first", "last"})
Made = Callable[[Any], str]


def plain_path(expression: object) -> tuple[str, ...] | None:
    """The keys of a path that is names alone, such as customer.traits.points."""
    if isinstance(expression, FilteredExpression) and not expression.filters:
        expression = expression.left
    if not isinstance(expression, Path):
        return None
    keys = tuple(key for key in expression.path if isinstance(key, str))
    if len(keys) < len(expression.path) or keys[0] in NOW or not SPECIAL.isdisjoint(keys[1:]):
        return None
    return keys


class FusedNode(Node):
    """`nodes` in one; each has a `printed` of its own where it is an output."""

    __slots__ = ("_escapes", "_made", "_times", "nodes")

    def __init__(self, nodes: list[Node], *, escapes: bool) -> None:
        super().__init__(nodes[0].token)
        self.nodes, self._escapes = nodes, escapes
        self.blank = all(node.blank for node in nodes)
        self._made: Made | None = None
        self._times = 0

    def __str__(self) -> str:
        return "".join(map(str, self.nodes))

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        return self.nodes

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        made = self._made
        if made is None:
            self._times += 1
            if self._times <= OFTEN:
                return sum([node.render_to_output(context, buffer) for node in self.nodes])
            made = self._made = _Writing(escapes=self._escapes).function(self.nodes)
        return buffer.write(made(context))


def fuse(nodes: list[Node], static: RenderContext, output: type[Node]) -> None:
    """Puts each stretch of `nodes`, and of all blocks below, into one; `output`: the class of outputs."""
    for node in nodes:
        part = getattr(node, "part", None)
        if part is not None:
            fuse(part.nodes, static, output)
            continue
        for child in node.children(static, include_partials=False):
            fuse(child.nodes if isinstance(child, BlockNode) else [child], static, output)
    nodes[:] = _stretches(nodes, output, escapes=static.autoescape)


def _stretches(nodes: list[Node], output: type[Node], *, escapes: bool) -> Iterator[Node]:
    found: list[Node] = []
    for node in nodes:
        if _only_prints(node, output, DEEPEST) and len(found) < LONGEST:
            found.append(node)
            continue
        yield from _one(found, escapes=escapes)
        found = []
        if _only_prints(node, output, DEEPEST):
            found.append(node)
        else:
            yield node
    yield from _one(found, escapes=escapes)


def _one(nodes: list[Node], *, escapes: bool) -> list[Node]:
    worth = len(nodes) > 1 or not all(isinstance(node, ContentNode) for node in nodes)
    return [FusedNode(nodes, escapes=escapes)] if worth else nodes


def _only_prints(node: Node, output: type[Node], depth: int) -> bool:
    if type(node) in (ContentNode, output):
        return True
    if isinstance(node, IfNode | UnlessNode):
        blocks = [block for _condition, block in _choices(node) if block is not None]
        return len(blocks) <= MOST_CHOICES and all(_is_simple(block, output, depth) for block in blocks)
    return isinstance(node, GuardNode) and _is_simple(node.block, output, depth)


def _is_simple(block: BlockNode, output: type[Node], depth: int) -> bool:
    # A block of nothing but blanks prints nothing at all.
    return depth > 0 and not block.blank and all(_only_prints(n, output, depth - 1) for n in nodes_of(block))


def nodes_of(block: BlockNode) -> list[Node]:
    """Those of a block, whether fused by now or not."""
    return [
        inner for node in block.nodes for inner in (node.nodes if isinstance(node, FusedNode) else [node])
    ]


def _choices(node: Any) -> list[tuple[Expression | None, BlockNode | None]]:
    """Each condition with its block; the last is for when none is true."""
    return [
        (node.condition, node.consequence),
        *((one.expression, one.block) for one in node.alternatives),
        (None, node.default),
    ]


class _Writing:
    """One function in the making. `_known`: what its names stand for."""

    def __init__(self, *, escapes: bool) -> None:
        self._lines: list[str] = []
        self._roots: dict[str, str] = {}
        self._known: dict[str, Any] = {
            "escape": escape_text, "NUMBERS": PRINTED_AS_IS, "TRUE": TRUE, "STARTS": SAFE_STARTS,
            "ERRORS": (KeyError, TypeError, IndexError),
        }  # fmt: skip
        self._escaped = "escape(v)" if escapes else "v"

    def function(self, nodes: list[Node]) -> Made:
        result = self._joined(self._block(nodes, 1))
        roots = [f" {name} = get({self._name(root, 'k')})" for root, name in self._roots.items()]
        head = ["def made(context):", " get, charge = context.scope.get, context.charge", *roots]
        source = "\n".join([*head, *self._lines, f" return {result}"])
        exec(compile(source, "<template>", "exec"), self._known)  # noqa: S102 - of numbered names, see above
        made: Made = self._known["made"]
        return made

    def _name(self, value: object, kind: str) -> str:
        name = f"{kind}{len(self._known)}"
        self._known[name] = value
        return name

    def _say(self, depth: int, *lines: str) -> None:
        self._lines += [" " * depth + line for line in lines]

    @staticmethod
    def _joined(pieces: list[str]) -> str:
        return pieces[0] if len(pieces) == 1 else f"''.join(({', '.join(pieces)}))"

    def _block(self, nodes: list[Node], depth: int) -> list[str]:
        return [self._piece(node, depth) for node in nodes]

    def _piece(self, node: Any, depth: int) -> str:
        """The name of what the node prints."""
        if isinstance(node, ContentNode):
            return self._name(node.text, "k")
        if isinstance(node, GuardNode):
            return self._guarded(node, depth)
        if isinstance(node, IfNode | UnlessNode):
            return self._chosen(node, depth)
        return self._printed(node, depth)

    def _value(self, keys: tuple[str, ...]) -> str:
        root = self._roots.setdefault(keys[0], f"r{len(self._roots)}")
        return root + "".join(f"[{self._name(key, 'k')}]" for key in keys[1:])

    def _printed(self, node: Any, depth: int) -> str:
        itself, text = self._name(node.printed, "n"), self._name(None, "t")
        keys = plain_path(node.expression)
        if keys is None:
            self._say(depth, f"{text} = {itself}(context)")
            return text
        self._say(
            depth, "try:", f" v = {self._value(keys)}",
            f" {text} = {self._escaped} if type(v) is str else str(v) if type(v) in NUMBERS else ''",
            "except ERRORS:", f" {text} = ''",
            f"if not {text}:", f" {text} = {itself}(context)",
            f"elif len({text}) > 64:", f" charge(len({text}) // 64)",
        )  # fmt: skip
        return text

    def _guarded(self, node: GuardNode, depth: int) -> str:
        inner, text = self._block(nodes_of(node.block), depth), self._name(None, "t")
        check = self._name(node.check, "n")
        self._say(depth, f"{text} = {self._joined(inner)}")
        if isinstance(node, UrlGuardNode):
            self._say(depth, f"if not {text}.startswith(STARTS):", f" {text} = {check}({text})")
        else:
            self._say(depth, f"{text} = {check}({text})")
        return text

    def _chosen(self, node: Any, depth: int) -> str:
        text = self._name(None, "t")
        turned = "not " if isinstance(node, UnlessNode) else ""
        for condition, block in _choices(node):
            if condition is not None:
                self._condition(condition, depth)
                self._say(depth, f"if {turned}c:")
            within = depth + (condition is not None)
            inner = self._joined(self._block(nodes_of(block), within)) if block is not None else "''"
            self._say(within, f"{text} = {inner}")
            if condition is not None:
                self._say(depth, "else:")
                depth, turned = depth + 1, ""
        return text

    def _condition(self, condition: Expression, depth: int) -> None:
        """`c`: whether it is true."""
        itself = f"{self._name(condition.evaluate, 'n')}(context)"
        compared = condition.expression if isinstance(condition, BooleanExpression) else condition
        if isinstance(compared, EqExpression) and isinstance(compared.right, StringLiteral):
            keys, known = plain_path(compared.left), f"v == {self._name(compared.right.value, 'k')}"
            said = f"{known} if type(v) is str else {itself}"
        else:
            keys, said = plain_path(compared), f"type(v) in TRUE or {itself}"
        if keys is None:
            self._say(depth, f"c = {itself}")
        else:
            value = self._value(keys)
            self._say(depth, "try:", f" v = {value}", f" c = {said}", "except ERRORS:", f" c = {itself}")
