"""What a template asks for beside the customer: `{% recommend %}`, `{% coupon %}` and their like.

A tag only says what it needs. Who renders many messages collects the needs of the template once, loads what
they ask for a whole chunk, and hands it in as `Givens`; nothing is loaded while a message is rendered.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from django.utils.translation import gettext as _
from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import (
    Identifier,
    KeywordArgument,
    Literal,
    Path,
    StringLiteral,
    parse_identifier,
    parse_primitive,
)
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_AS, TOKEN_COMMA, TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_TAG, TOKEN_WORD, Token
from liquid.undefined import is_undefined

from personalization.content.errors import MissingValue, RenderError

if TYPE_CHECKING:
    from personalization.content.language import MessageTemplate

# Among a template's values; no text, so no template can name it.
GIVENS: Any = object()
# What is known before anything is loaded: arguments may speak of nothing else.
KNOWN_BEFORE = frozenset({"customer", "context", "trigger", "campaign", "now"})
MAX_TEXT = 500


@dataclass(frozen=True)
class Need:
    """`name`: strategy, pool, source, or the name of a choice. The same tag in several parts of a message has
    the same `key`, and gets the same. `options`: the versions of a choice, as they are compiled."""

    key: str
    kind: str
    name: str
    arguments: tuple[KeywordArgument, ...] = field(default=(), compare=False)
    options: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)

    def fixed(self) -> dict[str, Any]:
        """Those arguments that are written out, the same for everybody."""
        return {a.name: a.value.value for a in self.arguments if isinstance(a.value, Literal)}

    def ask(self, context: RenderContext) -> dict[str, Any]:
        """All arguments for one customer; those that are missing or empty are left out."""
        asked = {a.name: _plain(a.name, a.value.evaluate(context)) for a in self.arguments}
        return {name: value for name, value in asked.items() if value not in (None, "", ())}


def _plain(name: str, value: object) -> object:
    if value is None or is_undefined(value):
        return None
    if isinstance(value, bool | int | float | Decimal):
        return value
    if isinstance(value, str):
        return str(value)[:MAX_TEXT]
    if isinstance(value, list | tuple) and all(isinstance(one, str | int | float) for one in value):
        return tuple(str(one)[:MAX_TEXT] for one in value[:100])
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise RenderError(f"{name}: this cannot be an argument")


class Givens:
    """What was loaded for one message, by the key of the need; a value may be the error to raise instead.
    `used` says afterwards what the message really took."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self.used: set[str] = set()

    def take(self, key: str) -> object:
        self.used.add(key)
        return self._values.get(key)


def take(context: RenderContext, need: Need) -> object:
    """None when nothing was loaded. Raises what stands in the value's place."""
    givens = context.scope.get(GIVENS)
    value = givens.take(need.key) if isinstance(givens, Givens) else None
    if isinstance(value, RenderError):
        raise value
    return value


class NeedNode(Node):
    """Puts what was loaded under a name, for the rest of the template."""

    __slots__ = ("alias", "need")

    def __init__(self, token: Token, need: Need, alias: Identifier | None) -> None:
        super().__init__(token)
        self.need, self.alias = need, alias

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = take(context, self.need)
        least = self.need.fixed().get("at_least")
        if isinstance(least, int) and len(value if isinstance(value, list) else ()) < least:
            raise MissingValue(f"{self.need.kind} “{self.need.name}”: fewer than {least}")
        if self.alias is not None:
            context.assign(self.alias, value)
        return 0

    def expressions(self) -> Iterable[Expression]:
        return [argument.value for argument in self.need.arguments]

    def template_scope(self) -> Iterable[Identifier]:
        return [self.alias] if self.alias is not None else []


class NeedTag(Tag):
    """`{% kind "name" argument: value, … as alias %}`."""

    kind: ClassVar[str]
    accepted: ClassVar[frozenset[str]] = frozenset()
    alias: ClassVar[str]
    takes_name = True

    def parse(self, stream: TokenStream) -> Node:
        token, alias = stream.current, Identifier(self.alias, token=stream.current)
        if not self.takes_name and stream.peek.kind != TOKEN_EXPRESSION:
            return NeedNode(token, parse_need(self, TokenStream(iter(())), token), alias)
        stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        need = parse_need(self, tokens, token)
        if tokens.current.kind == TOKEN_AS:
            next(tokens)
            tokens.expect(TOKEN_WORD)
            alias = parse_identifier(self.env, tokens, allow_trailing_question_mark=False)
        tokens.expect_eos()
        return NeedNode(token, need, alias)


def parse_need(tag: Any, tokens: TokenStream, token: Token, *, options: tuple[str, ...] = ()) -> Need:
    """Name and arguments up to `as` or the end. Raises LiquidSyntaxError with the place."""
    name = ""
    if tag.takes_name:
        first = parse_primitive(tag.env, tokens)
        if not isinstance(first, StringLiteral) or not first.value.strip() or len(first.value) > 60:
            raise LiquidSyntaxError(
                _("write a name in quotes after {kind}").format(kind=tag.kind), token=token
            )
        name = first.value.strip()
    arguments = tuple(sorted(_arguments(tag, tokens), key=lambda argument: argument.name))
    if len({argument.name for argument in arguments}) < len(arguments):
        raise LiquidSyntaxError(_("an argument stands there twice"), token=token)
    key = f"{tag.kind}:{name}:" + ",".join(f"{a.name}={a.value}" for a in arguments)
    line = token.source.count("\n", 0, max(token.start_index, 0)) + 1
    return Need(key, tag.kind, name, arguments, options, line)


def _arguments(tag: Any, tokens: TokenStream) -> Iterator[KeywordArgument]:
    while tokens.current.kind not in (TOKEN_EOF, TOKEN_AS):
        if tokens.current.kind == TOKEN_COMMA:
            next(tokens)
        token = tokens.eat(TOKEN_WORD)
        if tag.accepted and token.value not in tag.accepted:
            raise LiquidSyntaxError(
                _("{kind} has no argument “{name}”; it takes {known}").format(
                    kind=tag.kind, name=token.value, known=", ".join(sorted(tag.accepted))
                ),
                token=token,
            )
        tokens.eat_one_of("colon")
        value = parse_primitive(tag.env, tokens)
        for root in _roots(value):
            if root not in KNOWN_BEFORE:
                raise LiquidSyntaxError(
                    _("an argument may speak of {known} only, not of “{name}”").format(
                        known=", ".join(sorted(KNOWN_BEFORE)), name=root
                    ),
                    token=token,
                )
        yield KeywordArgument(token, token.value, value)


def _roots(value: Expression) -> Iterator[str]:
    if isinstance(value, Path):
        yield str(value.path[0])
        for part in value.path[1:]:
            if isinstance(part, Path):
                yield from _roots(part)


def needs_of(*templates: "MessageTemplate") -> tuple[Need, ...]:
    """What the templates ask for, each thing once, in the order in which it stands there."""
    found: dict[str, Need] = {}
    for template in templates:
        static = RenderContext(template)
        waiting: list[Node] = list(reversed(template.nodes))
        while waiting:
            node = waiting.pop()
            need = getattr(node, "need", None)
            if isinstance(need, Need):
                found.setdefault(need.key, need)
            waiting.extend(reversed(list(node.children(static, include_partials=False))))
    return tuple(found.values())


class Recommend(NeedTag):
    name = kind = "recommend"
    alias = "items"
    accepted = frozenset({
        "count", "exclude", "category", "not_category", "brand", "price_min", "price_max",
        "max_per_category", "variety", "not_in_last_messages", "repeat", "at_least", "item",
    })  # fmt: skip


class LastOrders(NeedTag):
    name = kind = "last_orders"
    alias = "orders"
    takes_name = False
    accepted = frozenset({"count", "days", "at_least"})


class Coupon(NeedTag):
    name = kind = "coupon"
    alias = "coupon"


class ConnectedContent(NeedTag):
    """Takes any argument: they are the parameters of the address."""

    name = kind = "connected_content"
    alias = "content"
