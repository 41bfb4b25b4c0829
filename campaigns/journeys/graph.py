"""A journey's graph: entry, nodes, their exits, and the rules that take people out. Pure.

    {"entry": {"kind": "event", "params": {…}}, "reentry": {"rule": "never"}, "start": "n1",
     "exits": [{"event": "Order Completed", "is_goal": true}, {"segment": 7, "when": "out"}],
     "nodes": {"n1": {"kind": "delay", "name": "An hour", "params": {…}, "next": {"done": "n2"}}}}

An exit without a next node ends the journey. There are no circles: every node is passed at most once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEY = re.compile(r"[a-z0-9_]{1,40}")
MAX_NODES = 100
REENTRY = ("never", "after", "always")


@dataclass(frozen=True)
class Wrong:
    """`pointer` into the graph, and what is wrong there."""

    pointer: str
    code: str


class GraphError(ValueError):
    def __init__(self, wrong: list[Wrong]) -> None:
        super().__init__("; ".join(f"{one.pointer}: {one.code}" for one in wrong))
        self.wrong = wrong


@dataclass(frozen=True)
class NodeSpec:
    key: str
    kind: str
    name: str
    params: Mapping[str, Any]
    next: Mapping[str, str | None]


@dataclass(frozen=True)
class ExitRule:
    """Who did the event since entering, or is in (`when`: in) or no longer in (out) the segment, leaves."""

    event: str = ""
    segment: int | None = None
    when: str = "in"
    is_goal: bool = False


@dataclass(frozen=True)
class Graph:
    entry_kind: str
    entry_params: Mapping[str, Any]
    reentry: str
    reentry_days: float
    exits: tuple[ExitRule, ...]
    start: str
    nodes: Mapping[str, NodeSpec] = field(default_factory=dict)

    @property
    def exit_events(self) -> tuple[str, ...]:
        return tuple(sorted({rule.event for rule in self.exits if rule.event}))


ExitsOf = Callable[[str, Mapping[str, Any]], tuple[str, ...] | None]


def parse(data: Any, *, exits_of: ExitsOf, entry_kinds: frozenset[str]) -> Graph:
    """`exits_of(kind, params)`: the names of a node's exits, None for a kind that does not exist.

    Raises GraphError with everything that is wrong.
    """
    if not isinstance(data, Mapping):
        raise GraphError([Wrong("", "object")])
    wrong: list[Wrong] = []
    entry = data.get("entry") if isinstance(data.get("entry"), Mapping) else {}
    if entry.get("kind") not in entry_kinds:
        wrong.append(Wrong("/entry/kind", "choice"))
    reentry = data.get("reentry") if isinstance(data.get("reentry"), Mapping) else {}
    days = reentry.get("days") or 0
    if reentry.get("rule", "never") not in REENTRY:
        wrong.append(Wrong("/reentry/rule", "choice"))
    if (
        not isinstance(days, int | float)
        or not 0 <= days <= 3650
        or (reentry.get("rule") == "after" and not days)
    ):
        wrong.append(Wrong("/reentry/days", "range"))
    nodes = _nodes(data.get("nodes"), exits_of, wrong)
    start = data.get("start")
    if start not in nodes:
        wrong.append(Wrong("/start", "missing"))
    exits = _exit_rules(data.get("exits") or [], wrong)
    if not wrong:
        _check_paths(str(start), nodes, wrong)
    if wrong:
        raise GraphError(wrong)
    params = entry.get("params")
    return Graph(
        str(entry["kind"]), params if isinstance(params, Mapping) else {}, reentry.get("rule", "never"),
        float(days), tuple(exits), str(start), nodes,
    )  # fmt: skip


def _nodes(data: Any, exits_of: ExitsOf, wrong: list[Wrong]) -> dict[str, NodeSpec]:
    if not isinstance(data, Mapping) or not 0 < len(data) <= MAX_NODES:
        wrong.append(Wrong("/nodes", "count"))
        return {}
    found = {}
    for key, value in data.items():
        where = f"/nodes/{key}"
        if not isinstance(key, str) or not KEY.fullmatch(key) or not isinstance(value, Mapping):
            wrong.append(Wrong(where, "key"))
            continue
        params = value.get("params") if isinstance(value.get("params"), Mapping) else {}
        exits = exits_of(str(value.get("kind")), params)
        if exits is None:
            wrong.append(Wrong(f"{where}/kind", "choice"))
            continue
        ways = value.get("next") if isinstance(value.get("next"), Mapping) else {}
        for name, target in ways.items():
            if name not in exits:
                wrong.append(Wrong(f"{where}/next/{name}", "exit"))
            elif target is not None and target not in data:
                wrong.append(Wrong(f"{where}/next/{name}", "missing"))
        found[key] = NodeSpec(
            key, str(value["kind"]), str(value.get("name") or "")[:100], params,
            {name: ways.get(name) for name in exits},
        )  # fmt: skip
    return found


def _exit_rules(data: Any, wrong: list[Wrong]) -> list[ExitRule]:
    if not isinstance(data, list) or len(data) > 10:
        wrong.append(Wrong("/exits", "count"))
        return []
    rules = []
    for index, value in enumerate(data):
        event = value.get("event") if isinstance(value, Mapping) else None
        segment = value.get("segment") if isinstance(value, Mapping) else None
        if isinstance(event, str) and 0 < len(event) <= 200:
            rules.append(ExitRule(event=event, is_goal=bool(value.get("is_goal"))))
        elif isinstance(segment, int) and value.get("when", "in") in ("in", "out"):
            rules.append(ExitRule(segment=segment, when=value.get("when", "in")))
        else:
            wrong.append(Wrong(f"/exits/{index}", "rule"))
    return rules


def _check_paths(start: str, nodes: Mapping[str, NodeSpec], wrong: list[Wrong]) -> None:
    """Every node is reached from the start, and no way leads in a circle."""
    state: dict[str, int] = {}  # 1: on the way here, 2: done

    def visit(key: str) -> None:
        state[key] = 1
        for name, target in nodes[key].next.items():
            if target is None:
                continue
            if state.get(target) == 1:
                wrong.append(Wrong(f"/nodes/{key}/next/{name}", "circle"))
            elif target not in state:
                visit(target)
        state[key] = 2

    visit(start)
    wrong.extend(Wrong(f"/nodes/{key}", "unreachable") for key in nodes if key not in state)
