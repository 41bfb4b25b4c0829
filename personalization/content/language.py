"""The template language: Liquid, cut down to what strangers' templates may do.

No tag or filter reaches a file, the network or a Python attribute; values are plain dicts, lists and scalars.
Work is counted in *fuel* instead of seconds, so the same template stops at the same place on every machine:
a loop costs its source length per round, a filter and an output cost by the size of what they make.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import StringIO
from typing import Any, TextIO

from liquid import Environment, RenderContext
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.exceptions import (
    LiquidError,
    LiquidInterrupt,
    ResourceLimitError,
    TemplateNotFoundError,
)
from liquid.stream import TokenStream
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate
from liquid.token import Token
from markupsafe import escape

from personalization.content import blanks, filters, wording
from personalization.content.bounds import CHARACTERS_PER_FUEL, bounded
from personalization.content.choices import Optional, SkipCustomer, Vary
from personalization.content.errors import MissingValue, RenderError
from personalization.content.fusing import fuse, plain_path
from personalization.content.generating import Generate
from personalization.content.guards import StyleGuard, UrlGuard
from personalization.content.localized import Localized
from personalization.content.missing import RecordingUndefined, collected, note
from personalization.content.needs import ConnectedContent, Coupon, LastOrders, Need, Recommend
from personalization.content.partials import IncludePart, RenderPart
from personalization.content.remembering import FRAGMENTS, Fragments, RememberedBlock, block_of_loop

FUEL = 100_000
FORBIDDEN_FILTERS = ("safe", "escapejs")
OWN_TAGS = (
    UrlGuard, StyleGuard, Recommend, LastOrders, Coupon, ConnectedContent, Vary, Localized,
    Optional, SkipCustomer, Generate, RenderPart, IncludePart,
)  # fmt: skip


class MessageContext(RenderContext):
    """The state of one rendering, with its fuel. `must_print`: a value that prints nothing is an error;
    `missed` counts those. `part`: the block that is about to be rendered; `inner`: its scope, if it has one
    of its own."""

    part: BoundTemplate | None = None
    inner: "MessageContext | None" = None

    def __init__(self, template: BoundTemplate, **options: Any) -> None:
        super().__init__(template, **options)
        self.fuel = FUEL
        self.weight = 1
        self.must_print = False
        self.fragments: Fragments | None = None
        self.missed = 0

    def copy(self, namespace: Mapping[str, object], *args: Any, **options: Any) -> "MessageContext":
        self.inner = super().copy(namespace, *args, **options)  # type: ignore[assignment]
        assert self.inner is not None
        self.inner.fuel, self.inner.weight = self.fuel, self.weight
        self.inner.must_print, self.inner.fragments = self.must_print, self.fragments
        return self.inner

    def charge(self, amount: int) -> None:
        self.fuel -= amount
        if self.fuel < 0:
            raise ResourceLimitError("the template does too much work", token=None)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.charge(length * self.weight)

    def assign(self, key: str, val: Any) -> None:
        self.charge(1 + len(val) // 64 if isinstance(val, str | list) else 1)
        self.locals[key] = val

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        return StringIO()

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        return partial(bounded, super().filter(name, token), name, self)


class FastOutputNode(OutputNode):
    """`{{ path.to.value }}` without the general machinery: nearly everything a message prints is this."""

    def __init__(self, token: Token, expression: Any) -> None:
        super().__init__(token, expression)
        self.root: str | None = None
        self.rest: tuple[object, ...] = ()
        filters_used = getattr(expression, "filters", None) or ()
        # Who gives a default has said what is to stand there, be it nothing.
        self.has_default = any(one.name == "default" for one in filters_used)
        if isinstance(expression, FilteredExpression) and not expression.filters:
            parts = expression.left.path if isinstance(expression.left, Path) else []
            if parts and isinstance(parts[0], str) and not any(isinstance(part, Path) for part in parts):
                self.root, self.rest = parts[0], tuple(parts[1:])

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(self.printed(context))  # type: ignore[arg-type]

    def printed(self, context: "MessageContext") -> str:
        """What stands in its place, charged for, and noted where there is nothing."""
        text = self._text(context)
        if len(text) > 64:
            context.charge(len(text) // 64)
        elif not text and not self.has_default:
            self._miss(context)
        return text

    def _miss(self, context: "MessageContext") -> None:
        context.missed += 1
        hint = str(self.expression)[:80]
        note(self.token, hint)
        if context.must_print:
            raise MissingValue(f"{hint}: no value")

    def _text(self, context: RenderContext) -> str:
        value: Any = None
        if self.root is None:
            value = self.expression.evaluate(context)
        else:
            try:
                value = context.scope[self.root]
                for key in self.rest:
                    value = (
                        value[key] if type(value) is dict and key in value else context.get_item(value, key)
                    )
            except (KeyError, TypeError, IndexError):
                value = self.expression.evaluate(context)
        if type(value) is str:
            return escape(value) if context.autoescape else value
        return to_liquid_string(value, context.autoescape)


class FastOutput(Output):
    node_class = FastOutputNode


class WeighedForNode(ForNode):
    """`path`: where its list stands, of a loop over all of a list in order; else empty."""

    weight = 1
    path: tuple[str, ...] = ()
    stop_key = ""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        assert isinstance(context, MessageContext)
        context.weight = self.weight
        if context.fragments is not None and not context.loops and isinstance(self.block, RememberedBlock):
            items = self._items(context)
            text = self.block.whole_loop(context, items) if items else None
            if text is not None:
                context.raise_for_loop_limit(len(items))
                return buffer.write(text)
        return super().render_to_output(context, buffer)

    def _items(self, context: MessageContext) -> list[object]:
        """What it goes through; looked up at once where the library would ask of each kind of value first."""
        if self.path:
            found: Any = context.scope.get(self.path[0])
            for key in self.path[1:]:
                found = found.get(key) if type(found) is dict else None
            if type(found) is list:
                context.stopindex(self.stop_key, len(found))
                return found
        return list(self.expression.evaluate(context)[0])


class WeighedFor(ForTag):
    node_class = WeighedForNode

    def parse(self, stream: TokenStream) -> WeighedForNode:
        start = stream.current.start_index
        node = super().parse(stream)
        assert isinstance(node, WeighedForNode)
        node.weight = _weight(stream, start)
        node.block = block_of_loop(node.block, node.expression, self.env.filters, FastOutputNode)
        loop = node.expression
        if loop.limit is None and loop.offset is None and not loop.reversed:
            node.path, node.stop_key = plain_path(loop.iterable) or (), f"{loop.identifier}-{loop.iterable}"
        return node


class WeighedTablerowNode(TablerowNode):
    weight = 1

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        assert isinstance(context, MessageContext)
        context.weight = self.weight
        return super().render_to_output(context, buffer)


class WeighedTablerow(TablerowTag):
    node_class = WeighedTablerowNode

    def parse(self, stream: TokenStream) -> WeighedTablerowNode:
        start = stream.current.start_index
        node = super().parse(stream)
        assert isinstance(node, WeighedTablerowNode)
        node.weight = _weight(stream, start)
        return node


def _weight(stream: TokenStream, start: int) -> int:
    return 1 + max(stream.current.start_index - start, 0) // CHARACTERS_PER_FUEL


class MessageTemplate(BoundTemplate):
    context_class = MessageContext

    def render_values(self, values: Mapping[str, object], *, must_print: bool = False) -> str:
        """The text for these values. Raises RenderError, with `must_print` MissingValue for a value that
        prints nothing; never prints half a message."""
        context = MessageContext(self, globals=values)
        context.must_print = must_print
        context.fragments = values.get(FRAGMENTS)  # type: ignore[assignment]
        buffer = StringIO()
        try:
            for node in self.nodes:
                node.render_to_output(context, buffer)
        except LiquidInterrupt:
            pass  # a `break` outside of a loop ends the template, as in the reference implementation
        except LiquidError as error:
            raise RenderError(str(error.message)) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise RenderError(f"{type(error).__name__}: {error}") from error
        return buffer.getvalue()


class Language(Environment):
    template_class = MessageTemplate
    block_nesting_limit = 30
    context_depth_limit = 30

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=False)
        for name in FORBIDDEN_FILTERS:
            self.filters.pop(name, None)
        self.add_tag(FastOutput)
        self.add_tag(WeighedFor)
        self.add_tag(WeighedTablerow)
        for tag in OWN_TAGS:
            self.add_tag(tag)
        filters.register(self)
        wording.register(self)

    def from_string(self, source: str, *args: Any, **options: Any) -> BoundTemplate:
        template = super().from_string(source, *args, **options)
        if "blank" in source:
            blanks.settle(template.nodes, MessageContext(template))
        fuse(template.nodes, MessageContext(template), FastOutputNode)
        return template

    def get_template(
        self, name: str, *, context: RenderContext | None = None, **options: Any
    ) -> BoundTemplate:
        """The block whose tag is being rendered. There is nothing else to load: no folder, no table."""
        if isinstance(context, MessageContext) and context.part is not None:
            return context.part
        raise TemplateNotFoundError(name)


HTML = Language(autoescape=True)
TEXT = Language(autoescape=False)
_EDITING = Language(autoescape=False, undefined=RecordingUndefined)
_NOTHING = TEXT.from_string("")


def find_missing(source: str, values: Mapping[str, object]) -> list[tuple[int, str]]:
    """(line, hint) of every missing value that `source` would print for these values, in order."""
    with collected() as found:
        try:
            template: MessageTemplate = _EDITING.from_string(source)  # type: ignore[assignment]
            template.render_values(values)
        except (RenderError, LiquidError):
            pass  # told by the caller, who renders for real
    return list(found)


def ask(needs: Iterable[Need], values: Mapping[str, object]) -> dict[Need, dict[str, Any]]:
    """What each need asks for this customer. Raises RenderError."""
    context = MessageContext(_NOTHING, globals=values)
    try:
        return {need: need.ask(context) for need in needs}
    except (LiquidError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise RenderError(f"an argument cannot be told: {type(error).__name__}") from error
