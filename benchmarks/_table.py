"""Writes the rows of benchmarks/results into the table of both READMEs: `python benchmarks/_table.py`.

A test checks that they hold exactly this, so no figure in it is typed by hand.
"""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"


def table() -> str:
    """One line per benchmark: how many times the one is of the other; without anything to compare, what was
    found."""
    lines = ["| Benchmark | Ratios |", "|---|---|"]
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        row = json.loads(path.read_text())
        said = [f"{name} **{ratio:.2f}**" for name, ratio in row["ratios"].items()]
        words = " · ".join(said or _found(row["figures"])).replace("_", " ")
        lines.append(f"| `bin/bench {row['name']}` | {words} |")
    return "\n".join(lines)


def _found(figures: dict[str, Any]) -> list[str]:
    """Numbers, those one level down with the name of their group; of rows with goals how many are reached."""
    goals = [
        row["reached"]
        for group in figures.values()
        if isinstance(group, dict)
        for row in group.get("figures", [])
        if row["reached"] is not None
    ]
    if goals:
        return [f"goals reached **{sum(goals)}** of **{len(goals)}**"]
    grouped = {
        (f"{name}: {part}" if part else name): value
        for name, group in figures.items()
        for part, value in (group.items() if isinstance(group, dict) else [("", group)])
    }
    return [f"{name} **{value:g}**" for name, value in grouped.items() if type(value) in (int, float)]


def put_into(readme: str) -> str:
    """The README's text with the table between its two markers."""
    return re.sub(f"{START}.*{END}", lambda _: f"{START}\n{table()}\n{END}", readme, flags=re.S)


if __name__ == "__main__":
    for name in ("README.md", "README.zh-CN.md"):
        path = ROOT / name
        path.write_text(put_into(path.read_text()))
