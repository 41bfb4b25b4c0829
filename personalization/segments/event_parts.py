"""How the parts of event conditions are read: aggregates, windows, filters, tests. Imports no Django."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any as Anything

from personalization.segments import nodes
from personalization.segments.operators import OPERATORS, _
from personalization.segments.values import Values

AGGREGATES = ("count", "sum", "average", "smallest", "largest", "distinct", "first", "last")
NUMBER_TESTS = ("at_least", "more_than", "at_most", "less_than", "between", "is", "is_not")
DATE_TESTS = tuple(name for name, operator in OPERATORS.items() if operator.kind == "date")
WINDOW_KEYS = ("last_days", "before_days", "from", "to", "days")


class EventParts(Values):
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
        if not isinstance(raw, dict) or not raw or not set(raw) <= set(WINDOW_KEYS):
            self.wrong(at, _("Give last_days, before_days, from, to or days, or leave the window out."))
            return nodes.Window()
        if "days" in raw:
            return self.anchored(raw, at)
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

    def anchored(self, raw: dict[str, Anything], at: str) -> nodes.Window:
        """So many days from a date on."""
        if set(raw) != {"from", "days"}:
            self.wrong(at, _("Days are counted from a date: give from and days alone."))
            return nodes.Window()
        start, days = self.moment(raw["from"], f"{at}/from"), self.days(raw["days"], f"{at}/days")
        if start is None or days is None:
            return nodes.Window()
        return nodes.Window(start, start + timedelta(days=float(days)))

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
