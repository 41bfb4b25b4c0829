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
    reached = _reached(changed)
    changed["nodes"] = {name: node for name, node in changed["nodes"].items() if name in reached}
    return changed


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
    reached = _reached(changed)
    changed["nodes"] = {one: node for one, node in changed["nodes"].items() if one in reached}
    return changed


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
