"""What makes a journey's graph, and where it is drawn."""

from typing import Any

import pytest

from campaigns.journeys.graph import GraphError, parse
from campaigns.journeys.layout import HEIGHT, lay_out

EXITS = {"step": ("done",), "fork": ("yes", "no")}


def graph(nodes: dict[str, Any], **more: Any) -> Any:
    data = {"entry": {"kind": "api"}, "start": "a", "nodes": nodes, **more}
    return parse(data, exits_of=lambda kind, params: EXITS.get(kind), entry_kinds=frozenset({"api"}))


def step(target: str | None = None) -> dict[str, Any]:
    return {"kind": "step", "next": {"done": target}}


def codes(nodes: dict[str, Any], **more: Any) -> set[tuple[str, str]]:
    with pytest.raises(GraphError) as error:
        graph(nodes, **more)
    return {(one.pointer, one.code) for one in error.value.wrong}


def test_a_way_that_leads_back_is_refused() -> None:
    assert codes({"a": step("b"), "b": step("a")}) == {("/nodes/b/next/done", "circle")}


def test_a_step_that_nothing_leads_to_is_refused() -> None:
    assert codes({"a": step(), "b": step()}) == {("/nodes/b", "unreachable")}


def test_ways_to_nowhere_and_unknown_kinds_are_refused() -> None:
    found = codes({"a": step("x"), "b": {"kind": "magic"}, "c": {"kind": "step", "next": {"yes": None}}})
    assert found == {
        ("/nodes/a/next/done", "missing"),
        ("/nodes/b/kind", "choice"),
        ("/nodes/c/next/yes", "exit"),
    }


def test_rules_for_leaving_name_an_event_or_a_segment() -> None:
    found = graph({"a": step()}, exits=[{"event": "Order Completed", "is_goal": True}, {"segment": 3}])
    assert found.exit_events == ("Order Completed",) and found.exits[1].when == "in"
    assert codes({"a": step()}, exits=[{"event": ""}]) == {("/exits/0", "rule")}


def test_branches_that_meet_again_are_drawn_below_one_another_and_apart() -> None:
    fork = {"kind": "fork", "next": {"yes": "b", "no": "c"}}
    drawing = lay_out(graph({"a": fork, "b": step("d"), "c": step("e"), "e": step("d"), "d": step()}))
    boxes = {box.key: box for box in drawing.boxes}
    assert boxes["a"].y < boxes["b"].y == boxes["c"].y < boxes["e"].y < boxes["d"].y
    assert boxes["b"].x != boxes["c"].x
    for one in drawing.boxes:
        for other in drawing.boxes:
            assert one is other or one.y != other.y or abs(one.x - other.x) > HEIGHT
    assert len(drawing.wires) == 6
