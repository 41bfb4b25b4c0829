"""Changes of a graph, one at a time."""

import pytest

from campaigns.journeys import editing


def draft(**nodes: dict[str, str | None]) -> editing.Draft:
    return {"start": "a", "nodes": {key: {"kind": "step", "next": ways} for key, ways in nodes.items()}}


def ways(found: editing.Draft) -> dict[str, dict[str, str | None]]:
    return {key: node["next"] for key, node in found["nodes"].items()}


LINE = draft(a={"done": "b"}, b={"done": "c"}, c={})


def test_a_step_is_moved_between_two_others_and_the_gap_closes() -> None:
    found = editing.move_node(LINE, "a", exits=("done",), after="b", way="done")
    assert found["start"] == "b" and ways(found) == {"b": {"done": "a"}, "a": {"done": "c"}, "c": {}}


def test_a_step_that_is_moved_to_where_it_stands_changes_nothing() -> None:
    assert editing.move_node(LINE, "b", exits=("done",), after="a", way="done") == LINE
    assert editing.move_node(LINE, "b", exits=("done",), after="b", way="done") == LINE
    assert editing.move_node(LINE, "a", exits=("done",), after="", way="") == LINE


def test_a_fork_that_is_moved_keeps_its_second_way() -> None:
    forked = draft(a={"yes": "b", "no": "c"}, b={"done": "d"}, c={}, d={})
    found = editing.move_node(forked, "a", exits=("yes", "no"), after="b", way="done")
    assert found["start"] == "b" and ways(found)["a"] == {"yes": "d", "no": "c"}


def test_the_only_step_stays_where_it_is() -> None:
    with pytest.raises(editing.CannotRemove):
        editing.remove_node(draft(a={}), "a")


def test_a_way_led_elsewhere_drops_what_nothing_leads_to() -> None:
    assert ways(editing.connect(LINE, source="a", way="done", target="c")) == {"a": {"done": "c"}, "c": {}}
    assert ways(editing.connect(LINE, source="a", way="done", target=None)) == {"a": {"done": None}}
    assert "b" in LINE["nodes"]  # the draft given is not touched
