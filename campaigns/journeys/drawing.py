"""The picture of a journey: boxes with their counts, wires with their names, as the template draws them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from campaigns.journeys import entries, nodes
from campaigns.journeys.graph import Graph
from campaigns.journeys.layout import HEIGHT, WIDTH, lay_out

TOP = HEIGHT + 56  # room for the entry above the first node


def draw(
    graph: Graph, counts: Mapping[str, Any] | None, problems: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Lengths in pixels; numbers are None without `counts`."""
    by_node = counts["nodes"] if counts else {}
    blank = dict.fromkeys(("inside", "failed", "passed"), 0 if counts else None)
    drawing = lay_out(graph)
    boxes = [
        _box(graph, box.key, box.x, box.y + TOP, by_node.get(box.key, blank), problems)
        for box in drawing.boxes
    ]
    start = next(box for box in boxes if box["key"] == graph.start)
    entry = entries.get(graph.entry_kind)
    middles = {box.key: box.x + WIDTH / 2 for box in drawing.boxes}
    wires = [
        {
            "path": wire.path, "ends": wire.target is None, "x": wire.x2, "y": wire.y2,
            "label": str(nodes.get(graph.nodes[wire.source].kind).exit_label(
                wire.exit, graph.nodes[wire.source].params)),
            "label_x": wire.x1 + 0.1 * (wire.x2 - wire.x1), "label_y": wire.y1 + 14,
            "side": _side(wire.x1 - middles[wire.source]),
            "plus_x": wire.x2 if wire.target is None else (wire.x1 + wire.x2) / 2,
            "plus_y": TOP + (wire.y2 if wire.target is None else (wire.y1 + wire.y2) / 2),
            "source": wire.source, "way": wire.exit, "from": _name(graph, wire.source),
            "to": _name(graph, wire.target) if wire.target else _("the end"),
            "n": by_node.get(wire.source, {}).get("exits", {}).get(wire.exit, 0),
        }
        for wire in drawing.wires
    ]  # fmt: skip
    x = start["x"] + WIDTH / 2
    return {
        "width": drawing.width, "height": drawing.height + TOP, "top": TOP, "boxes": boxes, "wires": wires,
        "entry": {
            "x": start["x"], "label": str(entry.label), "text": entry.describe(graph.entry_params),
            "plus_x": x, "plus_y": (HEIGHT + TOP) / 2,
            "path": f"M{x:g},{HEIGHT} L{x:g},{TOP}", "n": counts["entered"] if counts else None,
            "fault": next((one["detail"] for one in problems if one["pointer"].startswith("/entry")), ""),
        },
        "box_width": WIDTH, "box_height": HEIGHT,
    }  # fmt: skip


def _side(distance: float) -> str:
    """To which side of its wire a label stands: ways that begin beside one another may lead to one place."""
    return "middle" if abs(distance) < 1 else "start" if distance < 0 else "end"


def _name(graph: Graph, key: str) -> str:
    spec = graph.nodes[key]
    return spec.name or str(nodes.get(spec.kind).label)


def _box(
    graph: Graph,
    key: str,
    x: float,
    y: float,
    own: Mapping[str, Any],
    problems: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    spec = graph.nodes[key]
    kind = nodes.get(spec.kind)
    return {
        "key": key, "x": x, "y": y, "icon": kind.icon, "label": spec.name or str(kind.label),
        "text": kind.describe(spec.params) or _("no settings"), "inside": own["inside"],
        "passed": own["passed"], "failed": own["failed"],
        "fault": next(
            (one["detail"] for one in problems if f"{one['pointer']}/".startswith(f"/nodes/{key}/")), ""
        ),
    }  # fmt: skip
