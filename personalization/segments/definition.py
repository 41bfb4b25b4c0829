"""The segment language: JSON in, checked frozen nodes out. Imports no Django; see docs/segments.md.

Every mistake is found in one pass; each has a JSON pointer to the faulty place and a sentence that says
what to do about it.
"""

from collections.abc import Callable
from typing import Any as Anything

from personalization.segments import nodes
from personalization.segments.event_parts import AGGREGATES, DATE_TESTS, NUMBER_TESTS, EventParts
from personalization.segments.operators import OPERATORS, _
from personalization.segments.values import Problem

MAX_DEPTH = 8
MAX_NODES = 200

TEXT_TRAITS = (
    "external_id", "email", "phone", "first_name", "last_name", "language", "country", "city", "time_zone",
)  # fmt: skip
DATE_TRAITS = ("created_at", "updated_at")
SHAPES = ("all", "any", "not", "trait", "event", "ratio", "sequence", "consent", "segment")
MAX_STEPS = 5


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


class _Parser(EventParts):
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

    def sequence(self, raw: dict[str, Anything], at: str) -> nodes.Node | None:
        self.only(raw, at, "sequence", "within_days", "window", "followed")
        steps = raw["sequence"]
        if not isinstance(steps, list) or not 2 <= len(steps) <= MAX_STEPS:
            self.wrong(f"{at}/sequence", _("Give 2 to %(limit)s events, in their order."), limit=MAX_STEPS)
            return None
        before = len(self.problems)
        read = [self.step(step, f"{at}/sequence/{i}") for i, step in enumerate(steps)]
        within = self.days(raw.get("within_days"), f"{at}/within_days")
        window = self.window(raw.get("window"), f"{at}/window")
        followed = raw.get("followed", True)
        if not isinstance(followed, bool):
            self.wrong(f"{at}/followed", _("Give true or false."))
        if len(self.problems) > before or within is None:
            return None
        return nodes.Sequence(tuple(step for step in read if step), within, window, followed)

    def step(self, raw: object, at: str) -> nodes.Step | None:
        if not isinstance(raw, dict):
            self.wrong(at, _('Give an event: {"event": "…"}.'))
            return None
        self.only(raw, at, "event", "where")
        events = self.event_names(raw.get("event"), f"{at}/event")
        return nodes.Step(events, self.filters(raw.get("where", []), f"{at}/where"))

    def consent(self, raw: dict[str, Anything], at: str) -> nodes.Node | None:
        self.only(raw, at, "consent", "topic", "granted")
        channel = self.text(raw["consent"], f"{at}/consent", _("Choose a channel."))
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


__all__ = ["AGGREGATES", "DATE_TESTS", "NUMBER_TESTS", "DefinitionError", "Problem", "parse"]
