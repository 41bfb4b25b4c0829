"""Where the nodes of a graph are drawn: a row per step, branches side by side. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.journeys.graph import Graph, NodeSpec

WIDTH, HEIGHT, GAP_X, GAP_Y = 210, 84, 28, 56


@dataclass(frozen=True)
class Box:
    key: str
    x: float
    y: float


@dataclass(frozen=True)
class Wire:
    """From the bottom of one box to the top of another; `target` None ends the journey there."""

    source: str
    exit: str
    target: str | None
    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def path(self) -> str:
        middle = (self.y1 + self.y2) / 2
        return (
            f"M{self.x1:g},{self.y1:g} C{self.x1:g},{middle:g} {self.x2:g},{middle:g} {self.x2:g},{self.y2:g}"
        )


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]


def lay_out(graph: Graph) -> Drawing:
    """Each node below all nodes that lead to it; each exit that ends has a short wire of its own."""
    rows = _rows(graph)
    lanes = _lanes(graph)
    places = {
        key: (lanes[key] * (WIDTH + GAP_X), rows[key] * (HEIGHT + GAP_Y))
        for key in graph.nodes
        if key in rows
    }
    boxes = tuple(Box(key, x, y) for key, (x, y) in places.items())
    wires = tuple(wire for key in places for wire in _wires(graph.nodes[key], places))
    width = max((box.x for box in boxes), default=0) + WIDTH
    height = max((box.y for box in boxes), default=0) + HEIGHT + GAP_Y
    return Drawing(width, height, boxes, wires)


def _rows(graph: Graph) -> dict[str, int]:
    rows: dict[str, int] = {}

    def place(key: str, row: int) -> None:
        if rows.get(key, -1) >= row:
            return
        rows[key] = row
        for target in graph.nodes[key].next.values():
            if target is not None:
                place(target, row + 1)

    place(graph.start, 0)
    return rows


def _lanes(graph: Graph) -> dict[str, float]:
    """A node that leads to no new one gets a lane of its own, from left to right; every other stands in the
    middle above those it leads to first. So no two stand on one another."""
    lanes: dict[str, float] = {}
    seen: set[str] = set()
    free = 0

    def place(key: str) -> float:
        nonlocal free
        seen.add(key)
        below = [
            place(target)
            for target in graph.nodes[key].next.values()
            if target is not None and target not in seen
        ]
        if not below:
            below, free = [float(free)], free + 1
        lanes[key] = (min(below) + max(below)) / 2
        return lanes[key]

    place(graph.start)
    return lanes


def _wires(node: NodeSpec, places: Mapping[str, tuple[float, float]]) -> list[Wire]:
    x, y = places[node.key]
    count = len(node.next)
    wires = []
    for index, (name, target) in enumerate(node.next.items()):
        x1 = x + WIDTH * (index + 1) / (count + 1)
        y1 = y + HEIGHT
        if target is None:
            wires.append(Wire(node.key, name, None, x1, y1, x1, y1 + GAP_Y * 0.6))
        else:
            tx, ty = places[target]
            wires.append(Wire(node.key, name, target, x1, y1, tx + WIDTH / 2, ty))
    return wires
