"""Changes of a draft's graph, one at a time, each leaving a graph that can be drawn. Pure."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Draft = dict[str, Any]


class CannotRemove(ValueError):
    """A journey has at least one step."""


def blank() -> Draft:
    """What a new journey begins with."""
    return {
        "entry": {"kind": "event", "params": {"event": "Product Added"}},
        "reentry": {"rule": "after", "days": 7},
        "exits": [],
        "start": "delay1",
        "nodes": {"delay1": {"kind": "delay", "name": "", "params": {"hours": 1}, "next": {}}},
    }


def add_node(
    draft: Mapping[str, Any], *, kind: str, exits: tuple[str, ...], params: Mapping[str, Any],
    after: str = "", way: str = "",
) -> tuple[Draft, str]:  # fmt: skip
    """A new node behind the exit `way` of `after`, or at the very start; what came there follows its first
    exit. Also answers its key."""
    changed = deepcopy(dict(draft))
    nodes = changed["nodes"]
    key = next(f"{kind}{n}" for n in range(1, len(nodes) + 2) if f"{kind}{n}" not in nodes)
    if after:
        follower = nodes[after].setdefault("next", {}).get(way)
        nodes[after]["next"][way] = key
    else:
        follower, changed["start"] = changed["start"], key
    ways = {exits[0]: follower} if follower else {}
    nodes[key] = {"kind": kind, "name": "", "params": dict(params), "next": ways}
    return changed, key


def remove_node(draft: Mapping[str, Any], key: str) -> Draft:
    """What led to it leads on to what follows its first exit that leads anywhere; what only it led to goes
    with it. Raises CannotRemove."""
    return _without_unreached(_bridge(draft, key))


def change_node(
    draft: Mapping[str, Any],
    key: str,
    *,
    name: str,
    params: Mapping[str, Any],
    ways: Mapping[str, str | None],
) -> Draft:
    """New settings and ways out; a node that nothing leads to any more is dropped."""
    changed = deepcopy(dict(draft))
    changed["nodes"][key].update(name=name, params=dict(params), next=dict(ways))
    return _without_unreached(changed)


def move_node(draft: Mapping[str, Any], key: str, *, exits: tuple[str, ...], after: str, way: str) -> Draft:
    """The node between `after` (empty: the start) and what its exit `way` led to; where it stood, what led to
    it leads on to what followed its first exit. Raises CannotRemove, KeyError."""
    if after == key or (draft["nodes"][after].get("next", {}).get(way) if after else draft["start"]) == key:
        return deepcopy(dict(draft))
    changed = _bridge(draft, key)
    nodes = changed["nodes"]
    taken = deepcopy(draft["nodes"][key])
    follower = nodes[after].setdefault("next", {}).get(way) if after else changed["start"]
    if after:
        nodes[after]["next"][way] = key
    else:
        changed["start"] = key
    ways = {name: target for name, target in taken.get("next", {}).items() if target in nodes}
    nodes[key] = {**taken, "next": {**ways, exits[0]: follower}}
    return changed


def connect(draft: Mapping[str, Any], *, source: str, way: str, target: str | None) -> Draft:
    """The exit `way` of `source` leads to `target`, None: to the end; what nothing leads to any more is
    dropped. Raises KeyError."""
    changed = deepcopy(dict(draft))
    changed["nodes"][source].setdefault("next", {})[way] = target
    return _without_unreached(changed)


def _bridge(draft: Mapping[str, Any], key: str) -> Draft:
    """The draft without the node: what led to it leads on to its first follower."""
    changed = deepcopy(dict(draft))
    gone = changed["nodes"].pop(key)
    follower = next((target for target in gone.get("next", {}).values() if target), None)
    if changed["start"] == key:
        if follower is None:
            raise CannotRemove
        changed["start"] = follower
    for node in changed["nodes"].values():
        node["next"] = {
            way: follower if target == key else target for way, target in node.get("next", {}).items()
        }
    return changed


def _without_unreached(draft: Draft) -> Draft:
    reached = _reached(draft)
    return {**draft, "nodes": {key: node for key, node in draft["nodes"].items() if key in reached}}


def _reached(draft: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = [draft["start"]]
    while waiting:
        key = waiting.pop()
        if key in found or key not in draft["nodes"]:
            continue
        found.add(key)
        waiting += [target for target in draft["nodes"][key].get("next", {}).values() if target]
    return found
