"""The segment language: JSON in, checked frozen nodes out. Imports no Django; see docs/segments.md.

Every mistake is found in one pass; each has a JSON pointer to the faulty place and a sentence that says
what to do about it.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any as Anything

from personalization.segments import nodes
from personalization.segments.operators import OPERATORS, _
from personalization.segments.values import Problem, Values

MAX_DEPTH = 8
MAX_NODES = 200

TEXT_TRAITS = (
    "external_id", "email", "phone", "first_name", "last_name", "language", "country", "city", "time_zone",
)  # fmt: skip
DATE_TRAITS = ("created_at", "updated_at")
CHANNELS = ("email",)
AGGREGATES = ("count", "sum", "average", "smallest", "largest", "distinct", "first", "last")
NUMBER_TESTS = ("at_least", "more_than", "at_most", "less_than", "between", "is", "is_not")
DATE_TESTS = tuple(name for name, operator in OPERATORS.items() if operator.kind == "date")
SHAPES = ("all", "any", "not", "trait", "event", "ratio", "consent", "segment")


class DefinitionError(ValueError):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.pointer or '/'}: {p.sentence()}" for p in problems))
        self.problems = problems


def parse(definition: object) -> nodes.Node:
    """Raises DefinitionError with all problems found."""
    parser = _Parser()
    node = parser.node(definition, "", 1)
    if parser.problems or node is None:
        raise DefinitionError(parser.problems)
    return node


class _Parser(Values):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    # --- Nodes
    def node(self, raw: object, at: str, depth: int) -> nodes.Node | None:
        self.count += 1
        if self.count > MAX_NODES:
            if self.count == MAX_NODES + 1:
                self.wrong(at, _("Use at most %(limit)s conditions; put some into a segment of their own."),
                           limit=MAX_NODES)  # fmt: skip
            return None
        if depth > MAX_DEPTH:
            self.wrong(at, _("Nest groups at most %(limit)s deep."), limit=MAX_DEPTH)
            return None
        if not isinstance(raw, dict):
            self.wrong(at, _('Give a condition: an object such as {"trait": …} or {"all": […]}.'))
            return None
        shapes = [shape for shape in SHAPES if shape in raw]
        if len(shapes) != 1:
            self.wrong(at, _("Give exactly one of %(choices)s."), choices=", ".join(SHAPES))
            return None
        shape = shapes[0]
        if shape in ("all", "any"):
            return self.group(raw, shape, at, depth)
        if shape == "not":
            self.only(raw, at, "not")
            inner = self.node(raw["not"], f"{at}/not", depth + 1)
            return nodes.Not(inner) if inner else None
        leaf: Callable[[dict[str, Anything], str], nodes.Node | None] = getattr(self, shape)
        return leaf(raw, at)

    def group(self, raw: dict[str, Anything], shape: str, at: str, depth: int) -> nodes.Node | None:
        self.only(raw, at, shape)
        children, here = raw[shape], f"{at}/{shape}"
        if not isinstance(children, list):
            self.wrong(here, _("Give a list of conditions."))
            return None
        if not children and not (at == "" and shape == "all"):
            self.wrong(here, _("Add a condition to this group, or remove the group."))
            return None
        parsed = tuple(self.node(child, f"{here}/{i}", depth + 1) for i, child in enumerate(children))
        good = tuple(child for child in parsed if child is not None)
        return nodes.All(good) if shape == "all" else nodes.Any(good)

    def trait(self, raw: dict[str, Anything], at: str) -> nodes.Node | None:
        self.only(raw, at, "trait", "op", "value")
        name = self.text(raw["trait"], f"{at}/trait", _("Choose a trait."))
        if name is None:
            return None
        test = self.test(raw, at, "op", self.operators_of_trait(name))
        return nodes.Trait(name, test) if test else None

    @staticmethod
    def operators_of_trait(name: str) -> tuple[str, ...]:
        if name in DATE_TRAITS:
            return ("exists", "missing", *DATE_TESTS)
        kinds = ("any", "text") if name in TEXT_TRAITS else ("any", "text", "number", "date")
        return tuple(op for op, operator in OPERATORS.items() if operator.kind in kinds)

    def event(self, raw: dict[str, Anything], at: str) -> nodes.Node | None:
        self.only(raw, at, "event", "op", "of", "per", "window", "where", "is", "value")
        aggregate = self.aggregate(raw, at)
        if aggregate is None:
            return None
        if aggregate.op in ("first", "last"):
            test = self.test(raw, at, "is", DATE_TESTS)
        else:
            test = self.test(raw, at, "is", (*NUMBER_TESTS, "top_percent"), numbers_only=True)
        return nodes.EventCondition(aggregate, test) if test else None

    def ratio(self, raw: dict[str, Anything], at: str) -> nodes.Node | None:
        self.only(raw, at, "ratio", "is", "value")
        pair = raw["ratio"]
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(p, dict) for p in pair):
            self.wrong(f"{at}/ratio", _("Give two event values: the first is divided by the second."))
            return None
        parts = []
        for i, part in enumerate(pair):
            self.only(part, f"{at}/ratio/{i}", "event", "op", "of", "per", "window", "where")
            parts.append(self.aggregate(part, f"{at}/ratio/{i}", numbers_only=True))
        test = self.test(raw, at, "is", NUMBER_TESTS, numbers_only=True)
        if parts[0] is None or parts[1] is None or test is None:
            return None
        return nodes.Ratio(parts[0], parts[1], test)

    def consent(self, raw: dict[str, Anything], at: str) -> nodes.Node | None:
        self.only(raw, at, "consent", "topic", "granted")
        channel = self.choice(raw["consent"], f"{at}/consent", CHANNELS)
        topic = self.text(
            raw.get("topic", "marketing"), f"{at}/topic", _("Name the topic, such as marketing.")
        )
        granted = raw.get("granted", True)
        if not isinstance(granted, bool):
            self.wrong(f"{at}/granted", _("Give true or false."))
            return None
        return nodes.ConsentCondition(channel, topic, granted) if channel and topic else None

    def segment(self, raw: dict[str, Anything], at: str) -> nodes.Node | None:
        self.only(raw, at, "segment")
        number = raw["segment"]
        if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**63:
            self.wrong(f"{at}/segment", _("Choose a segment by its number."))
            return None
        return nodes.Member(number)

    # --- Aggregates
    def aggregate(
        self, raw: dict[str, Anything], at: str, *, numbers_only: bool = False
    ) -> nodes.Aggregate | None:
        before = len(self.problems)
        events = self.event_names(raw.get("event"), f"{at}/event")
        allowed = tuple(a for a in AGGREGATES if not numbers_only or a not in ("first", "last"))
        op = self.choice(raw.get("op", "count"), f"{at}/op", allowed)
        of, per = self.sources(raw, op or "count", at)
        window = self.window(raw.get("window"), f"{at}/window")
        where = self.filters(raw.get("where", []), f"{at}/where")
        if len(self.problems) > before or op is None:
            return None
        return nodes.Aggregate(events, op, of, per, window, where)

    def event_names(self, raw: object, at: str) -> tuple[str, ...]:
        message = _("Choose an event.")
        if not isinstance(raw, list):
            name = self.text(raw, at, message)
            return (name,) if name else ()
        if not 0 < len(raw) <= 20:
            self.wrong(at, _("Choose 1 to 20 events."))
            return ()
        names = [self.text(name, f"{at}/{i}", message) for i, name in enumerate(raw)]
        return tuple(sorted({name for name in names if name}))

    def sources(self, raw: dict[str, Anything], op: str, at: str) -> tuple[nodes.Source, nodes.Source | None]:
        of = nodes.Source("value")
        if op in ("count", "first", "last"):
            if "of" in raw:
                self.wrong(
                    f"{at}/of", _("Leave this out: only sums, averages and the like are of something.")
                )
        elif op == "distinct":
            of = self.source(raw.get("of"), f"{at}/of", ("item", "day")) or of
        else:
            of = self.source(raw.get("of", "value"), f"{at}/of", ("value",)) or of
        if "per" not in raw:
            return of, None
        if op != "average":
            self.wrong(f"{at}/per", _("Leave this out: only an average is per something."))
            return of, None
        return of, self.source(raw["per"], f"{at}/per", ("item", "day"))

    def source(self, raw: object, at: str, words: tuple[str, ...]) -> nodes.Source | None:
        if isinstance(raw, str) and raw in words:
            return nodes.Source(raw)
        if isinstance(raw, dict) and set(raw) == {"property"}:
            name = self.text(raw["property"], f"{at}/property", _("Choose a property of the event."))
            return nodes.Source("property", name) if name else None
        self.wrong(
            at,
            _('Give %(choices)s, or a property of the event: {"property": "…"}.'),
            choices=", ".join(words),
        )
        return None

    def window(self, raw: object, at: str) -> nodes.Window:
        if raw is None:
            return nodes.Window()
        if not isinstance(raw, dict) or not raw or not set(raw) <= {"last_days", "before_days", "from", "to"}:
            self.wrong(at, _("Give last_days, before_days, from or to, or leave the window out."))
            return nodes.Window()
        if ("last_days" in raw and "from" in raw) or ("before_days" in raw and "to" in raw):
            self.wrong(at, _("Give one start and one end only."))
            return nodes.Window()
        bounds: dict[str, datetime | Decimal | None] = {}
        for key, value in raw.items():
            read = self.moment if key in ("from", "to") else self.days
            bounds[key] = read(value, f"{at}/{key}")
        window = nodes.Window(
            bounds.get("last_days", bounds.get("from")), bounds.get("before_days", bounds.get("to"))
        )
        self.ordered(window, at)
        return window

    def ordered(self, window: nodes.Window, at: str) -> None:
        start, end = window.starts, window.ends
        backwards = (
            isinstance(start, Decimal) and isinstance(end, Decimal) and start <= end
        ) or (isinstance(start, datetime) and isinstance(end, datetime) and start >= end)  # fmt: skip
        if backwards:
            self.wrong(at, _("The window ends before it starts: make the start earlier."))

    def filters(self, raw: object, at: str) -> tuple[nodes.Filter, ...]:
        if not isinstance(raw, list) or len(raw) > 20:
            self.wrong(at, _("Give a list of at most 20 filters."))
            return ()
        found = [self.filter(part, f"{at}/{i}") for i, part in enumerate(raw)]
        return tuple(part for part in found if part)

    def filter(self, raw: object, at: str) -> nodes.Filter | None:
        places = ("property", "context", "item", "field")
        used = [place for place in places if isinstance(raw, dict) and place in raw]
        if not isinstance(raw, dict) or len(used) != 1:
            self.wrong(at, _("Give exactly one of %(choices)s."), choices=", ".join(places))
            return None
        place = used[0]
        self.only(raw, at, place, "op", "value")
        name = self.text(raw[place], f"{at}/{place}", _("Choose what to filter by."))
        if name is None:
            return None
        kinds: tuple[str, ...] = ("any", "text", "number", "date")
        if place == "field":
            if name != "value":
                self.wrong(f"{at}/field", _("Give one of %(choices)s."), choices="value")
                return None
            kinds = ("any", "number")
        elif place == "item":
            kinds = {"category": ("any",), "price": ("any", "number")}.get(name, kinds)
        allowed = tuple(op for op, operator in OPERATORS.items() if operator.kind in kinds)
        numeric = place == "field" or (place == "item" and name == "price")
        test = self.test(raw, at, "op", allowed, numbers_only=numeric)
        return nodes.Filter(place, name, test) if test else None

    # --- Tests and values
    def test(
        self,
        raw: dict[str, Anything],
        at: str,
        key: str,
        allowed: tuple[str, ...],
        *,
        numbers_only: bool = False,
    ) -> nodes.Test | None:
        op = self.choice(raw.get(key), f"{at}/{key}", allowed)
        if op is None:
            return None
        takes, before = OPERATORS[op].takes, len(self.problems)
        if takes == "none":
            if raw.get("value") is not None:
                self.wrong(f"{at}/value", _("Leave the value out: this comparison needs none."))
        else:
            if takes == "scalar" and numbers_only:
                takes = "number"
            reader: Callable[[object, str], Anything] = getattr(self, f"read_{takes}")
            value = reader(raw.get("value"), f"{at}/value")
            if len(self.problems) == before:
                return nodes.Test(op, value)
        return nodes.Test(op, None) if len(self.problems) == before else None


__all__ = ["DefinitionError", "Problem", "parse"]
